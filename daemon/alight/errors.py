"""Everything alight raises on purpose.

The whole tree::

    AlightError            what happened, where, what to do next
      UsageError           exit 2
      SettingsError        exit 2    config.toml cannot be used
      Unreachable          exit 3    no daemon answered
        DeadlineExpired    exit 3    a daemon is there but did not answer in time
      Untrusted            exit 4    the environment is untrusted or denied
      BadNews              exit 1    there is no usable answer here
      BadRequest           -         a message that does not fit the protocol (carries a wire code)
      UnsafeDirectory      exit 3    the runtime or data directory is not ours alone
      AlreadyServing       exit 0    another daemon holds the lock
"""

from __future__ import annotations


class AlightError(Exception):
    """A failure a person can act on; ``str()`` is the one-line message, ``remedy`` the next step."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(AlightError):
    """The command's words are off."""

    exit_code = 2


class SettingsError(AlightError):
    """``config.toml`` exists but cannot be used as it is."""

    exit_code = 2


class Unreachable(AlightError):
    """No daemon answered, and none could be started."""

    exit_code = 3


class DeadlineExpired(Unreachable):
    """The daemon accepted the connection but did not answer before the deadline."""


class Untrusted(AlightError):
    """The environment exists but the user has not allowed it, or denied it."""

    exit_code = 4


class BadNews(AlightError):
    """The question was answered, and the answer is that there is nothing to use."""

    exit_code = 1


class UnsafeDirectory(AlightError):
    """A directory that must be ours alone is a link, somebody else's, or open to others."""

    exit_code = 3


class AlreadyServing(AlightError):
    """Another daemon holds the lifetime lock of this runtime directory."""

    exit_code = 0


class BadRequest(AlightError):
    """A message that does not fit the protocol.

    ``code`` is one of the error codes of ``shell/PROTOCOL.md``; the connection is kept.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
