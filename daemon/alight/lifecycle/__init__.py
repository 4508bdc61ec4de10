"""Find, start and stop the daemon, and run its parts in order."""
