"""Bounded reading of a disk that may be hostile: regular files only, nothing run, every look recorded."""
