"""The daemon's log: two files of one MiB, rate limited, and discreet about where its user works."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from io import TextIOWrapper
from pathlib import Path

from alight.clock import Clock, SystemClock
from alight.digest import sha256

FILE_LIMIT = 1024 * 1024
RECORDS_PER_WINDOW = 200
WINDOW_SECONDS = 10.0
LEVELS = ("debug", "info", "warning", "error")


class RateLimit(logging.Filter):
    """Lets through so many records a window, and says how many it held back."""

    def __init__(self, clock: Clock, records: int = RECORDS_PER_WINDOW, seconds: float = WINDOW_SECONDS) -> None:
        super().__init__()
        self._clock = clock
        self._records = records
        self._seconds = seconds
        self._start = clock.monotonic()
        self._passed = 0
        self._held = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a record above the limit; the first of the next window carries the count."""
        now = self._clock.monotonic()
        if now - self._start >= self._seconds:
            self._start, self._passed = now, 0
        if self._passed >= self._records:
            self._held += 1
            return False
        self._passed += 1
        if self._held:
            record.msg = f"({self._held} records held back) {record.getMessage()}"
            record.args = ()
            self._held = 0
        return True


class LogFile(logging.handlers.RotatingFileHandler):
    """A rotating file of mode 0600 that follows no link. A full disk loses records, never the daemon."""

    def __init__(self, file: Path) -> None:
        self.lost = 0
        super().__init__(file, maxBytes=FILE_LIMIT, backupCount=1, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags, 0o600)
        return open(descriptor, "a", encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class's interface
        """Count what could not be written; a bug in a log call still shows on stderr."""
        if isinstance(sys.exc_info()[1], OSError):
            self.lost += 1
        else:
            super().handleError(record)


def open_log(file: Path, level: str = "info", clock: Clock | None = None) -> logging.Logger:
    """The logger that writes to ``file``; ``level`` is one of ``LEVELS``.

    It is not registered anywhere: whoever needs it is given it. Where the file cannot be opened (read-only state
    directory, full disk) the records go nowhere.
    """
    logger = logging.Logger("alight", level.upper())
    try:
        os.makedirs(file.parent, mode=0o700, exist_ok=True)
        handler: logging.Handler = LogFile(file)
    except OSError:
        handler = logging.NullHandler()
    handler.addFilter(RateLimit(clock or SystemClock()))
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    return logger


def close_log(logger: logging.Logger) -> None:
    """Flush and close the logger's files."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def shown(path: bytes, logger: logging.Logger) -> str:
    """A path as it may stand in the log: a hash, or at level debug the path itself."""
    if logger.isEnabledFor(logging.DEBUG):
        return ascii(os.fsdecode(path))
    return "path:" + sha256(path).hexdigest()[:12]
