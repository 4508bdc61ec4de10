"""``setup.py install`` and ``develop``, easy_install: the Python's own scheme, past PEP 668 (landing rules 1.11)."""

from __future__ import annotations

import re
from dataclasses import replace

from alight.files.disk import join
from alight.landing import pip, schemes
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Python, Words
from alight.landing.pipcommand import End
from alight.landing.searchpath import NO_FLAGS, search_path
from alight.model import Landing, Reason
from alight.text import display_path

PIP_RELEASE = 80
"""The first setuptools whose ``develop`` is ``pip install -e .``, and which has no easy_install."""

BARE_MINOR = 12
"""The first Python 3 minor without distutils of its own."""

_BEFORE = spellings("--verbose/-v", "--quiet/-q", "--dry-run/-n", "--help/-h", "--no-user-cfg", "--command-packages")
_INSTALL = spellings(
    "--user", "--prefix", "--root", "--home", "--exec-prefix", "--install-lib", "--install-purelib",
    "--install-platlib", "--install-base", "--install-platbase", "--install-scripts", "--install-headers",
    "--install-data", "--compile/-c", "--no-compile", "--optimize/-O", "--force/-f", "--skip-build", "--record",
    "--old-and-unmanageable", "--single-version-externally-managed", "--install-layout",
)  # fmt: skip
_INSTALL_SWITCHES = frozenset(
    {
        "user", "compile", "no-compile", "force", "skip-build", "old-and-unmanageable",
        "single-version-externally-managed",
    }
)  # fmt: skip
_INSTALL_VALUED = frozenset(_INSTALL.values()) - _INSTALL_SWITCHES
_DEVELOP = spellings(
    "--user", "--prefix", "--install-dir/-d", "--no-deps/-N", "--uninstall/-u", "--upgrade/-U", "--index-url/-i",
    "--find-links/-f", "--exclude-scripts/-x", "--multi-version/-m", "--always-unzip/-Z", "--zip-ok/-z",
    "--script-dir/-s", "--egg-path", "--optimize/-O", "--record", "--always-copy/-a", "--site-dirs/-S",
    "--build-directory/-b", "--editable/-e", "--allow-hosts/-H", "--local-snapshots-ok/-l", "--verbose/-v",
    "--quiet/-q", "--dry-run/-n",
)  # fmt: skip
_DEVELOP_VALUED = frozenset(
    {
        "prefix", "install-dir", "index-url", "find-links", "script-dir", "egg-path", "optimize", "record", "site-dirs",
        "build-directory", "allow-hosts",
    }
)  # fmt: skip
_HARMLESS = frozenset(
    {
        "user", "compile", "no-compile", "optimize", "force", "skip-build", "record", "no-deps", "uninstall", "upgrade",
        "index-url", "find-links", "exclude-scripts", "always-unzip", "zip-ok", "always-copy", "allow-hosts", "verbose",
        "quiet", "dry-run", "local-snapshots-ok",
    }
)  # fmt: skip
_SECTION = re.compile(rb"^\[(install|develop|easy_install)\]", re.MULTILINE)
_RELEASE = re.compile(rb"setuptools-(\d+)\.")


class SetupPy:
    """The rules of setuptools' own commands."""

    @property
    def name(self) -> str:
        """The tool."""
        return "setup.py"

    @property
    def words(self) -> frozenset[str]:
        """The script's name, and easy_install's: it was no longer made when Python 3.14 came."""
        minors = {f"easy_install-3.{minor}" for minor in range(4, 14)}
        return frozenset({"setup.py", "easy_install", "easy_install-2.7"} | minors)

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where it would write; None for commands that only build or show."""
        typed = tuple(word for word in argv if word is not None)
        word = (argv[0] or b"").rpartition(b"/")[2]
        tool = "setup.py" if word == b"setup.py" else "easy_install"
        start = Prediction(tool, "install", typed, "unknown", "unknown-word", plain=False)
        command, arguments, pretended = (
            _command(argv[1:])
            if tool == "setup.py"
            else ("easy_install", read(argv[1:], _DEVELOP, _DEVELOP_VALUED), False)
        )
        if not command:
            return start if arguments.doubtful else None
        if program is None:
            return replace(start, outcome="stops", reason="no-such-command")
        if arguments.has("uninstall"):
            start = replace(start, action="uninstall")
        if arguments.doubtful:
            return start
        if arguments.error:
            found = _end(start, "unknown", "unknown-settings", arguments.error)
        else:
            found = _predicted(start, command, arguments, program, context)
        if found.outcome == "lands" and (pretended or arguments.has("dry-run")):
            found = replace(_end(found, "nothing", "no-landing", "--dry-run changes nothing"), landing=None)
        return replace(found, argv=typed, because=(*program.because, *found.because), plain=False, requirements=())


def _command(words: Words) -> tuple[str, Arguments, bool]:
    """The first of the commands that installs, its options, and whether it is only pretended; "" when none does."""
    left = words
    options, valued = _BEFORE, frozenset({"command-packages"})
    pretended = False
    command = ""
    while True:
        arguments = read(left, options, valued, limit=1)
        # The operand ends the options of the command before it.
        if command in {"install", "develop", "easy_install"} or arguments.doubtful:
            return ("easy_install" if command == "easy_install" else command), arguments, pretended
        if command == "" and (arguments.has("help") or arguments.error):
            return "", Arguments(), False
        pretended = pretended or arguments.has("dry-run")
        if not arguments.operands:
            return "", Arguments(), False
        command = arguments.operands[0].decode("ascii", "replace")
        if command in {"install", "develop", "easy_install"}:
            options = _INSTALL if command == "install" else _DEVELOP
            valued = _INSTALL_VALUED if command == "install" else _DEVELOP_VALUED
            left = arguments.rest
        elif arguments.rest and (arguments.rest[0] or b"-").startswith(b"-"):
            # The options of other commands are not known, nor which of them take a value.
            return ("install" if b"install" in words or b"develop" in words else ""), Arguments(error=command), False
        else:
            left, options, valued = arguments.rest, {}, frozenset()


def _predicted(start: Prediction, command: str, arguments: Arguments, own: Program, context: Context) -> Prediction:
    python, seen = pip.interpreter(own, context)
    if isinstance(python, End):
        return _ended(start, python)
    if own.script.endswith(b"setup.py") and not context.disk.exists(context.path(own.script)):
        return _end(start, "stops", "no-project", f"there is no {display_path(own.script)}")
    release = _setuptools(python, seen)
    if isinstance(release, End):
        return _ended(start, release)
    if release is None and (_minor(python) >= BARE_MINOR or command != "install"):
        return _end(start, "stops", "no-such-module", f"{display_path(python.prefix)} has no setuptools")
    if command == "develop" and release is not None and release >= PIP_RELEASE:
        return _through_pip(start, arguments, python, pip.child(own, context))
    if _is_configured(python, context):
        return _end(start, "unknown", "unknown-settings", "a configuration file of distutils sets where it installs")
    landing = _landing(arguments, python, seen)
    if isinstance(landing, End):
        return _ended(start, landing)
    if landing.purelib is not None and not schemes.can_write(landing.purelib, context):
        return _end(start, "stops", "not-writable", f"{display_path(landing.purelib)} is not writable")
    because = ("it writes the files itself, whatever PEP 668 says",) if python.managed else ()
    reason: Reason = "user-site" if landing.kind == "user" else "active-environment"
    return replace(start, outcome="lands", reason=reason, landing=landing, because=because)


def _landing(arguments: Arguments, python: Python, context: Context) -> Landing | End:
    strange = sorted(set(arguments.options) - _HARMLESS)
    if strange:
        return End("unknown", "unknown-settings", tuple(f"--{name}" for name in strange))
    if not arguments.has("user"):
        return schemes.land(python, context)
    if not schemes.user_site_enabled(python, context, NO_FLAGS) or python.kind == "venv":
        return End("unknown", "unknown-settings", ("--user where the user's site-packages do not count",))
    return schemes.land(python, context, user=True)


def _through_pip(start: Prediction, arguments: Arguments, python: Python, context: Context) -> Prediction:
    words: list[bytes] = [b"install", b"-e", b".", b"--use-pep517"]
    for name, option in (("install-dir", b"--target"), ("prefix", b"--prefix")):
        if name in arguments.options:
            words += [option, arguments.options[name]]
    words += [b"--user"] if arguments.has("user") else []
    if set(arguments.options) - {"install-dir", "prefix", "user", "no-deps", "index-url"}:
        return _end(start, "stops", "bad-options", "this setuptools does not know the option")
    found = pip.run(tuple(words), python, context)
    if found is None:
        return start
    return replace(found, tool=start.tool, because=("develop runs pip install -e .", *found.because))


def _setuptools(python: Python, context: Context) -> int | End | None:
    """The major release of the setuptools this Python imports, None without one."""
    for directory in search_path(python, context):
        if not context.disk.exists(join(directory, b"setuptools/__init__.py")):
            continue
        for name in context.disk.names(directory) or ():
            found = _RELEASE.match(name)
            if found is not None and name.endswith((b".dist-info", b".egg-info")):
                return int(found[1][:6])
        return End("unknown", "unknown-settings", (f"the setuptools in {display_path(directory)} is not known",))
    return None


def _is_configured(python: Python, context: Context) -> bool:
    files = [
        join(python.base, b"lib/" + python.library + b"/distutils/distutils.cfg"),
        join(context.home, b".pydistutils.cfg"),
        join(context.directory, b"setup.cfg"),
    ]
    extra = context.variable("DIST_EXTRA_CONFIG")
    if extra is not None:
        files.append(context.path(extra))
    return any(_SECTION.search(context.disk.read(path) or b"") for path in files)


def _minor(python: Python) -> int:
    major, _, minor = python.minor.partition(".")
    return int(minor) if major == "3" and minor.isdigit() else 0


def _ended(start: Prediction, end: End) -> Prediction:
    return replace(start, outcome=end.outcome, reason=end.reason, because=end.because)


def _end(start: Prediction, outcome: str, reason: Reason, because: str) -> Prediction:
    return replace(start, outcome=outcome, reason=reason, because=(because,))
