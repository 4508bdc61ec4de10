"""What an installer's rules are given, and what they answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from alight.files.disk import Disk, join
from alight.files.documents import Documents
from alight.model import Certainty, InstallAction, Landing, Reason, Resolution
from alight.systems.base import Facts, Links

Words = tuple["bytes | None", ...]
"""A command's words as it will get them; None for one that only the shell can know."""


@dataclass(frozen=True, slots=True)
class Program:
    """The file a word leads to, shims and wrapper scripts followed, and the Python that will run it.

    ``path`` is the file found on PATH (or named), links in it kept; ``script`` the file that runs in the end;
    ``python`` the interpreter of its first line as written there, or the file itself when it is one, else None.
    ``because`` are the steps from the word to the interpreter. ``flags`` are the interpreter's options that are single
    letters (``s`` of ``python3 -s``), from the first line or from what was typed. ``variables`` are those that a shim
    sets for what it starts. ``doubts`` say why this is only likely; ``problem`` why it will not start; ``fell`` why it
    is another program than was meant.
    """

    path: bytes
    script: bytes
    python: bytes | None
    because: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    variables: Mapping[str, bytes] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    problem: Reason | None = None
    fell: Reason | None = None


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter and where it installs (landing rules 1.1).

    ``executable`` is the path it is started by, links kept; ``prefix`` is its ``sys.prefix``; ``base`` that of its base
    Python, the same for a base. ``library`` is ``pythonX.Y``, ``minor`` X.Y, "" when unknown. ``kind`` is venv, conda
    or base; ``origin`` for a base is that of ``model.Interpreter``. ``system_site`` is True where the user's own
    site-packages count. ``managed`` says that PEP 668's marker stands in its standard library and it is no venv.
    """

    executable: bytes
    prefix: bytes
    base: bytes
    library: bytes
    kind: str
    origin: str
    system_site: bool
    managed: bool

    @property
    def minor(self) -> str:
        """X.Y, or ""."""
        return self.library.removeprefix(b"python").removeprefix(b"pypy").rstrip(b"t").decode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Context:
    """Where and as whom one command will run.

    ``variables`` are its exported ones, after everything on the line that comes before it. ``hashed`` is what the shell
    remembers of commands, ``functions`` and ``aliases`` the words that are not files (an alias with its text).
    ``user`` is None for the caller, else the name sudo was given ("root" without one). ``conditional`` is True when the
    command may not run at all. ``shell_variables`` are the shell's own for the words of the command, exported or not,
    None for one that is unset; a name that is missing is not known. ``doubts`` say why all this is only likely.
    ``argv0`` is the name the program is told, when it is not the word typed. ``pending`` are environments that earlier
    commands of the line make, and of which it is not known what will be in them.
    """

    directory: bytes
    variables: Mapping[str, bytes]
    disk: Disk
    documents: Documents
    home: bytes
    resolve: Callable[[bytes], Resolution]
    links: Links | None = None
    hashed: Mapping[bytes, bytes] = field(default_factory=dict)
    functions: frozenset[bytes] = frozenset()
    aliases: Mapping[bytes, bytes] = field(default_factory=dict)
    user: str | None = None
    conditional: bool = False
    platform: str = sys.platform
    shell_variables: Mapping[str, bytes | None] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    argv0: bytes | None = None
    passing: frozenset[bytes] = frozenset()
    pending: tuple[bytes, ...] = ()

    def variable(self, name: str) -> bytes | None:
        """An exported variable; an empty one counts as unset, which is what most tools do."""
        return self.variables.get(name) or None

    def path(self, text: bytes) -> bytes:
        """A path of the command's own, made absolute; ``~`` is the shell's business and stays.

        Programs start where the shell's directory really is, whatever links it went there by.
        """
        return text if text.startswith(b"/") else join(self.real_directory, text)

    @property
    def real_directory(self) -> bytes:
        """The directory without links, as a program is told it."""
        return self.disk.realpath(self.directory)

    def inside(self, directory: bytes, **variables: bytes) -> Context:
        """The same in another directory and with more variables."""
        return replace(self, directory=directory, variables={**self.variables, **variables})

    def facts(self, directory: bytes | None = None) -> Facts:
        """What the environment systems are given for the same question."""
        where = self.directory if directory is None else directory
        return Facts(self.disk, self.variables, self.home, where, self.documents, None, self.links, self.platform)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one installer command would do; ``landing`` is None when nothing lands or it cannot be known.

    ``outcome``: ``lands``; ``nothing`` (download, lock, dry run); ``stops`` (the tool refuses or fails before it
    writes); ``unknown``, also for a command that works on several environments. ``creates`` says that the environment
    is made first, ``fresh`` that an earlier command on the line has made it.
    """

    tool: str
    action: InstallAction
    argv: tuple[bytes, ...]
    outcome: str
    reason: Reason
    landing: Landing | None = None
    because: tuple[str, ...] = ()
    certainty: Certainty = "sure"
    creates: bool = False
    fresh: bool = False
    requirements: tuple[bytes, ...] = ()
    """The words that say what is installed, for the replacement: requirement words and -r/-e options with values."""

    plain: bool = True
    """Whether the command holds nothing but requirements: another tool's command can say the same."""


class Installer(Protocol):
    """The rules of one tool; one module each, registered in ``landing.INSTALLERS``."""

    @property
    def name(self) -> str:
        """The tool, as ``Install.tool`` gives it."""

    @property
    def words(self) -> frozenset[str]:
        """The command words (base names) and modules (``python -m``) that are this tool."""

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """What ``argv`` would do; None when it is of no interest (``pip list``). Never raises.

        ``argv[0]`` is the tool's word, also for ``python -m``. ``program`` is None when no such command is found.
        """


@dataclass(frozen=True, slots=True)
class Run:
    """What a runner starts: the words of its own from ``start`` on, in ``context``; it ends there when that is None.

    ``front`` stands before them and was not typed as such: ``python -m`` for ``uv run -m``. ``prediction`` is what the
    runner itself writes before (``uv run`` syncs), None when that is of no interest. ``because`` goes in front of what
    the inner command says.
    """

    start: int | None
    context: Context | None
    because: tuple[str, ...] = ()
    prediction: Prediction | None = None
    runner: str = ""
    front: tuple[bytes, ...] = ()


class Runner(Protocol):
    """A tool that starts a command in an environment (``uv run``); registered in ``landing.RUNNERS``."""

    @property
    def words(self) -> frozenset[str]:
        """The command words and modules that may be this runner; most are an installer's, too."""

    def run(self, argv: Words, program: Program | None, context: Context) -> Run | Reason | None:
        """What ``argv`` starts; None when it starts nothing (``uv add``), a Reason when that cannot be known."""
