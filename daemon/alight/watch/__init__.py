"""Hints about changes on disk: which projects are worth another look. Never what is true.

``names`` says which events matter, ``coverage`` which folders, ``debounce`` when to speak. ``inotify`` is the one
emitter for all folders and speaks in ``hints``, ``watches`` keeps it armed, ``dispatcher`` is the thread that joins
them, and ``observer`` offers it all as ``Watch``.
"""
