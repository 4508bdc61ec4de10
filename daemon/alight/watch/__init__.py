"""Hints about changes on disk: which projects are worth another look. Never what is true.

``names`` says which events matter, ``coverage`` which folders, ``debounce`` when to speak; ``inotify`` is the one
emitter for all folders, ``watches`` keeps it armed, ``observer`` puts them together as ``Watch``.
"""
