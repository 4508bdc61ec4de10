"""pip's options: which exist in which release and command, and how a command line is read with them.

pip parses with ``optparse``: long names may be abbreviated while they are unique, short ones may be clustered, and an
option that takes a value takes the next word whatever it looks like. The table was read out of pip 18.1 to 26.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

Kind = Literal["true", "false", "count", "help", "call", "value", "append", "int", "float", "setting"]
"""``call`` takes no value and stores something else; ``setting`` is a value of the form ``KEY=VALUE``."""

Value: TypeAlias = bool | int | str | tuple[str, ...]

Release: TypeAlias = tuple[int, int]

OLDEST: Release = (18, 1)
NEWEST: Release = (26, 3)
"""Releases whose options are known; a newer one may have more."""

_VALUED = frozenset({"value", "append", "int", "float", "setting"})
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``choices`` are the values every release takes; ``open`` when some releases take others too."""

    names: tuple[str, ...]
    kind: Kind
    target: str
    choices: frozenset[str] = frozenset()
    open: bool = False

    @property
    def valued(self) -> bool:
        """Whether it takes a value."""
        return self.kind in _VALUED


@dataclass(frozen=True, slots=True)
class Parsed:
    """A command line, read. ``values`` are what the options set, by target; ``given`` the options in the order typed.

    ``operands`` are positions in the words. ``error`` is the reason why pip refuses them, ``doubt`` why it is not known
    whether it does: "" for a word that is not known. ``help`` when it would print its help and end.
    """

    values: Mapping[str, Value]
    given: tuple[tuple[Option, str | None], ...] = ()
    operands: tuple[int, ...] = ()
    error: str = ""
    doubt: str | None = None
    help: bool = False


@dataclass(slots=True)
class _State:
    values: dict[str, Value]
    given: list[tuple[Option, str | None]] = field(default_factory=list)
    operands: list[int] = field(default_factory=list)
    help: bool = False


class Refused(Exception):
    """pip prints this message and ends."""


class Doubtful(Exception):
    """Whether pip takes this is not known."""


@lru_cache(maxsize=64)
def options(section: str, release: Release) -> Mapping[str, Option]:
    """The options of a command (``global`` for those before it) in a release, by name."""
    letter = _LETTERS[section]
    found: dict[str, Option] = {}
    for line in _TABLE.strip().splitlines():
        letters, names, kind, target, since, until, choices = (*line.split(), "", "", "", "")[:7]
        if letter not in letters or not _release(since, OLDEST) <= release <= _release(until, (9999, 0)):
            continue
        parts = tuple(names.split("/"))
        option = Option(
            parts,
            kind,  # type: ignore[arg-type]
            target,
            frozenset(choices.rstrip(",").split(",")) if choices else frozenset(),
            choices.endswith(","),
        )
        found.update(dict.fromkeys(parts, option))
    return found


def read(
    words: Iterable[bytes | None], known: Mapping[str, Option], start: Mapping[str, Value], *, mixed: bool
) -> Parsed:
    """Read a command line over the values that hold without it; ``mixed`` when options may follow operands."""
    state = _State(dict(start))
    left = list(enumerate(words))[::-1]
    error = ""
    doubt: str | None = None
    try:
        _read(left, known, state, mixed=mixed)
    except Refused as refusal:
        error = str(refusal)
    except Doubtful as reason:
        doubt = str(reason)
    return Parsed(state.values, tuple(state.given), tuple(state.operands), error, doubt, state.help)


def configured(option: Option, text: str) -> Value | None:
    """What a configured value sets, None when it sets nothing; raises Refused or Doubtful."""
    name = option.names[-1]
    if option.kind in {"true", "false"}:
        return boolean(name, text)
    if option.kind == "count":
        lowered = text.lower()
        if lowered in _TRUE | _FALSE:
            return int(lowered in _TRUE)
        if text.isascii() and text.isdigit():
            return int(text[:9])
        raise Refused(f"{text} is not a valid value for {name}")
    if option.kind == "call":
        if option.target == "use_pep517":
            raise Refused(f"{name} cannot be configured")
        boolean(name, text)
        return None
    if option.kind == "append":
        return tuple(_checked(option, part) for part in text.split())
    return _checked(option, text)


def boolean(name: str, text: str) -> bool:
    """A yes or no as pip reads it; raises Refused."""
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise Refused(f"{text} is not a valid value for {name}")


def _read(left: list[tuple[int, bytes | None]], known: Mapping[str, Option], state: _State, *, mixed: bool) -> None:
    while left and not state.help:
        position, raw = left.pop()
        word = _text(raw)
        if word == "--":
            state.operands += [index for index, _ in reversed(left)]
            return
        if word.startswith("--"):
            name, explicit, value = word.partition("=")
            option = known[_complete(name, known)]
            if explicit and not option.valued:
                raise Refused(f"{name} does not take a value")
            if option.valued and not explicit:
                value = _next(name, left)
            _store(option, value if option.valued else None, state)
        elif word.startswith("-") and len(word) > 1:
            _cluster(word[1:], left, known, state)
        else:
            state.operands.append(position)
            if not mixed:
                state.operands += [index for index, _ in reversed(left)]
                return


def _cluster(letters: str, left: list[tuple[int, bytes | None]], known: Mapping[str, Option], state: _State) -> None:
    for index, letter in enumerate(letters):
        option = known.get("-" + letter)
        if option is None:
            raise Refused(f"no such option: -{letter}")
        if option.valued:
            rest = letters[index + 1 :]
            _store(option, rest or _next("-" + letter, left), state)
            return
        _store(option, None, state)
        if state.help:
            return


def _store(option: Option, value: str | None, state: _State) -> None:
    target = option.target
    if option.kind == "help":
        state.help = True
        return
    if option.kind == "call" and option.target == "use_pep517":
        raise Doubtful(f"{option.names[-1]} needs setuptools in that Python")
    state.given.append((option, value))
    if option.kind in {"true", "false"}:
        state.values[target] = option.kind == "true"
    elif option.kind == "count":
        earlier = state.values.get(target, 0)
        state.values[target] = (earlier if isinstance(earlier, int) else 0) + 1
    elif value is not None:
        checked = _checked(option, value)
        if option.kind == "append":
            earlier = state.values.get(target, ())
            state.values[target] = (*(earlier if isinstance(earlier, tuple) else ()), checked)
        else:
            state.values[target] = checked


def _checked(option: Option, value: str) -> str:
    name = option.names[-1]
    if option.choices and value not in option.choices:
        if option.open:
            raise Doubtful(f"{name} {value}")
        raise Refused(f"{name}: invalid choice: {value}")
    if option.kind in {"int", "float"} and not _is_number(value, whole=option.kind == "int"):
        raise Refused(f"{name}: invalid value: {value}")
    if option.kind == "setting" and "=" not in value:
        raise Refused(f"{name} must be of the form KEY=VALUE")
    return value


def _is_number(text: str, *, whole: bool) -> bool:
    if whole and text[:2].lower() in {"0x", "0b"}:
        raise Doubtful(text)
    try:
        (int if whole else float)(text[:64])
    except ValueError:
        return False
    return True


def _complete(name: str, known: Mapping[str, Option]) -> str:
    if name in known:
        return name
    fitting = [option for option in known if option.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    raise Refused(f"ambiguous option: {name}" if fitting else f"no such option: {name}")


def _next(name: str, left: list[tuple[int, bytes | None]]) -> str:
    if not left:
        raise Refused(f"{name} option requires 1 argument")
    return _text(left.pop()[1])


def _text(word: bytes | None) -> str:
    if word is None:
        raise Doubtful("")
    return decode(word)


def decode(word: bytes) -> str:
    """Octets as the text Python programs see."""
    return word.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The octets of such a text."""
    return text.encode("utf-8", "surrogateescape")


def _release(text: str, default: Release) -> Release:
    if text in {"", "-"}:
        return default
    major, _, minor = text.partition(".")
    return int(major), int(minor)


_LETTERS = {"global": "g", "install": "i", "uninstall": "u", "download": "d", "wheel": "w", "lock": "l"}

# Commands (g before the command, i install, u uninstall, d download, w wheel, l lock), names, kind, target,
# first and last release, choices (a comma at the end: and others).
_TABLE = """
gdiluw -h/--help help help
gdiluw --isolated true isolated
gdiluw --require-virtualenv/--require-venv true require_venv
gdiluw -v/--verbose count verbose
g      -V/--version true version
diluw  -V/--version true version - 26.2
gdiluw -q/--quiet count quiet
gdiluw --log/--log-file/--local-log value log
gdiluw --no-input true no_input
gdiluw --proxy value proxy
gdiluw --retries int retries
gdiluw --timeout/--default-timeout float timeout
gdiluw --skip-requirements-regex value skip_regex - 20.0
gdiluw --exists-action append exists_action - - s,i,w,b,a
gdiluw --trusted-host append trusted_hosts
gdiluw --cert value cert
gdiluw --client-cert value client_cert
gdiluw --cache-dir value cache_dir
gdiluw --no-cache-dir false cache_dir - 18.1
gdiluw --no-cache-dir call no_cache 19.0
gdiluw --disable-pip-version-check true no_check
gdiluw --no-color true no_color
gdiluw --no-python-version-warning true no_warning 20.0
gdiluw --unstable-feature append unstable 20.1 20.2 resolver,
gdiluw --use-feature append features 20.2 - fast-deps,
gdiluw --use-deprecated append deprecated 20.2 - legacy-resolver,
gdiluw --debug true debug 21.3
gdiluw --python value python 22.3
gdiluw --keyring-provider value keyring 23.1 - auto,disabled,import,subprocess
gdiluw --resume-retries int resume_retries 25.1
gdiluw --no-proxy-env true no_proxy_env 26.2
diluw  -r/--requirement append requirements
diwl   -c/--constraint append constraints
diwl   --build-constraint append build_constraints 25.3
diwl   --requirements-from-script append scripts 26.0
diwl   --no-deps/--no-dependencies true no_deps
diwl   --only-deps/--only-dependencies true only_deps 26.2
diwl   --pre true pre
diwl   --all-releases value release_control 26.0
diwl   --only-final value release_control 26.0
diwl   --uploaded-prior-to value uploaded 26.0
iwl    -e/--editable append editables
i      --dry-run true dry_run 22.2
i      -t/--target value target
di     --platform append platforms
di     --python-version value python_version
di     --implementation value implementation
di     --abi append abis
i      --user true user
i      --no-user false user
i      --root value root
i      --prefix value prefix
diw    -b/--build/--build-dir/--build-directory value build_dir - 21.2
diwl   --src/--source/--source-dir/--source-directory value src
i      -U/--upgrade true upgrade
i      --upgrade-strategy value upgrade_strategy - - eager,only-if-needed
i      --force-reinstall true force
i      -I/--ignore-installed true ignore_installed
iw     --ignore-requires-python true ignore_python - 20.3
diwl   --ignore-requires-python true ignore_python 21.0
diwl   --no-build-isolation false build_isolation
diwl   --use-pep517 true use_pep517 19.0
diwl   --no-use-pep517 call use_pep517 19.0 25.2
diwl   --check-build-dependencies true check_build 22.1
i      --install-option append install_options - 23.0
iw     --config-settings setting config_settings 22.1 23.0
iwl    -C/--config-settings setting config_settings 23.1
diw    --global-option append global_options - 25.2
w      --build-option append build_options - 25.2
i      --compile true compile
i      --no-compile false compile
i      --no-warn-script-location false warn_scripts
i      --no-warn-conflicts false warn_conflicts
iu     --break-system-packages true break_system 23.0
diwl   --no-binary value no_binary
diwl   --only-binary value only_binary
diwl   --refresh-package value refresh 26.2
diwl   --prefer-binary true prefer_binary
diwl   --require-hashes true require_hashes
diwl   --no-require-hashes true no_require_hashes 26.2
diwl   --progress-bar value progress_bar - - on,off,
iu     --root-user-action value root_action 22.1 - ignore,warn
i      --report value report 22.2
diwl   --group value groups 25.1
diwl   --no-clean true no_clean
diwl   -i/--index-url/--pypi-url value index_url
diwl   --extra-index-url append extra_index
diwl   --no-index true no_index
diwl   -f/--find-links append find_links
diwl   --process-dependency-links true process_links - 18.1
u      -y/--yes true yes
d      -d/--dest/--destination-dir/--destination-directory value dest
w      -w/--wheel-dir value wheel_dir
w      --no-verify true no_verify 20.3
l      -o/--output value output
"""
