"""mise and asdf: the environment a ``mise.toml`` names, and the Pythons that its tools ask for (discovery rules 1.11).

File order and grammar as of mise 2026.9; files for one $MISE_ENV are not read, since shells do not send it.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alight.files.disk import join
from alight.interpreters import Selection, pools, release, whole
from alight.model import Interpreter, WouldCreate
from alight.systems import pyvenv
from alight.systems.base import MISSING, POINTER, Claim, Facts, ProjectLocal, level_join
from alight.systems.venv import stands
from alight.text import display_path

FILES: tuple[tuple[bytes, bytes], ...] = (
    (b"", b".mise.local.toml"),
    (b"", b"mise.local.toml"),
    (b"", b".rtx.local.toml"),
    (b"mise", b"config.local.toml"),
    (b".mise", b"config.local.toml"),
    (b".config", b"mise.local.toml"),
    (b".config/mise", b"mise.local.toml"),
    (b".config/mise", b"config.local.toml"),
    (b"", b".mise.toml"),
    (b"", b"mise.toml"),
    (b"", b".rtx.toml"),
    (b"mise", b"config.toml"),
    (b".mise", b"config.toml"),
    (b".mise/conf.d", b"*"),
    (b".config", b"mise.toml"),
    (b".config/mise", b"mise.toml"),
    (b".config/mise", b"config.toml"),
    (b".config/mise/conf.d", b"*"),
)
"""(folder, name) of a level's files, the one that wins first; ``*`` stands for every ``.toml``, last name first."""

FRAGMENTS_LIMIT = 32
WORDS_LIMIT = 16

_TEMPLATE = re.compile(rb"\{[{%#]|\$")
_TOOLS = ("python", "core:python")


class Mise(ProjectLocal):
    """Environments that a ``mise.toml`` puts into the shell."""

    name = "mise"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """``[env] _.python.venv`` of the file that wins on this level."""
        rule = "mise-venv"
        for path in files(level, facts):
            for entry in reversed(_environments(facts.documents.table(path, mention=b"venv"))):
                return self._entry(rule, level, path, entry, facts)
        facts.note(rule, "miss", "no mise.toml with _.python.venv", level)
        return None

    def _entry(self, rule: str, level: bytes, path: bytes, entry: Any, facts: Facts) -> Claim | None:
        creates = isinstance(entry, dict) and entry.get("create") is True
        text = entry.get("path") if isinstance(entry, dict) else entry
        written = os.fsencode(text) if isinstance(text, str) and "\0" not in text and _encodes(text) else b""
        if _TEMPLATE.search(written):
            facts.note(rule, "skipped", "the path is a template, whose value only mise knows", path)
            return None
        prefix = level_join(level, written, facts.home)
        if prefix is None:
            facts.note(rule, "miss", "_.python.venv is no path", path)
            return None
        if stands(prefix, facts):
            facts.note(rule, "hit", "mise.toml names this environment", path, prefix)
            return Claim(rule, POINTER, "certain", prefix, level, (path, join(prefix, pyvenv.CONFIG)))
        # mise makes it by itself when it next sets up the project's variables, but only if `create` is set.
        made = f"python -m venv {shlex.quote(display_path(prefix))}"
        command = "mise exec -- python --version" if creates else made
        facts.note(rule, "hit", f"`{command}` would create it", path, prefix)
        return Claim(rule, MISSING, "high", None, level, (path,), would_create=WouldCreate(command, prefix))


def files(level: bytes, facts: Facts) -> Iterator[bytes]:
    """The level's mise files that are there, the one that wins first."""
    for folder, name in FILES:
        if folder and not facts.disk.has(level, folder.partition(b"/")[0]):
            continue
        directory = join(level, folder) if folder else level
        if name == b"*":
            fragments = (part for part in facts.disk.names(directory) or () if part.endswith(b".toml"))
            visible = sorted((part for part in fragments if not part.startswith(b".")), reverse=True)
            yield from (join(directory, part) for part in visible[:FRAGMENTS_LIMIT])
        elif facts.disk.has(directory, name):
            yield join(directory, name)


def selection(facts: Facts, levels: Sequence[bytes]) -> Selection | None:
    """What mise and asdf would use, looking at ``levels`` nearest first; None when no file there names a Python.

    On one level mise's own files come before ``.tool-versions``. Each word is looked for among mise's and asdf's
    installations; ``system`` depends on PATH and gives no interpreter.
    """
    chosen = facts.override("ASDF_PYTHON_VERSION")
    if chosen is not None:
        return _selected("asdf", tuple(_text(word) for word in chosen.split()[:WORDS_LIMIT]), b"", facts)
    for level in levels:
        for path in files(level, facts):
            words = _asked(facts.documents.table(path, "tools", mention=b"python"))
            if words:
                return _selected("mise", words, path, facts)
        path = join(level, b".tool-versions")
        if facts.disk.has(level, b".tool-versions"):
            words = tool_versions(facts.disk.read(path) or b"")
            if words:
                return _selected("asdf", words, path, facts)
    return None


def tool_versions(content: bytes) -> tuple[str, ...]:
    """The versions on the last ``python`` line of a ``.tool-versions``; nothing when it is a template."""
    words: tuple[str, ...] = ()
    for line in content.splitlines():
        parts = line.partition(b"#")[0].split()
        if len(parts) > 1 and parts[0].rstrip(b":") in {b"python", b"core:python"}:
            words = tuple(_text(part) for part in parts[1 : WORDS_LIMIT + 1])
    return () if any(_TEMPLATE.search(os.fsencode(word)) for word in words) else words


def _environments(document: Mapping[str, Any]) -> list[Any]:
    """The values of ``env._.python.venv``; ``env`` is a table or a list of them."""
    env = document.get("env")
    found: list[Any] = []
    for table in env if isinstance(env, list) else [env]:
        value: Any = table
        for key in ("_", "python", "venv"):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, (str, dict)):
            found.append(value)
    return found


def _asked(tools: Mapping[str, Any]) -> tuple[str, ...]:
    """``"3.12"``, ``{version = "3.12"}``, or a list of either."""
    asked = next((tools[name] for name in _TOOLS if name in tools), None)
    words: list[str] = []
    for entry in asked if isinstance(asked, list) else [asked]:
        version = entry.get("version") if isinstance(entry, dict) else entry
        if isinstance(version, str) and version and "\0" not in version and _encodes(version):
            words.append(version)
    usable = not any(_TEMPLATE.search(os.fsencode(word)) for word in words)
    return tuple(words[:WORDS_LIMIT]) if usable else ()


def _selected(tool: str, words: tuple[str, ...], path: bytes, facts: Facts) -> Selection:
    found: list[Interpreter] = []
    names: list[str] = []
    missing: list[str] = []
    for word in words:
        if word == "system":
            names.append(word)
            continue
        interpreter = _installed(os.fsencode(word), facts)
        if interpreter is None:
            missing.append(word)
        else:
            found.append(interpreter)
            names.append(_text(interpreter.prefix.rpartition(b"/")[2]))
    return Selection(tool, words, path, tuple(names), tuple(found), (), tuple(missing))


def _installed(word: bytes, facts: Facts) -> Interpreter | None:
    """The installation of a word: a path, an exact name, or the newest that begins with it."""
    if word.startswith(b"path:"):
        prefix = level_join(b"/", word.removeprefix(b"path:"), facts.home)
        return None if prefix is None else whole(prefix, "path", facts.disk)
    name = word.replace(b":", b"-") if word.startswith(b"ref:") else word.removeprefix(b"prefix:")
    if not name or b"/" in name or name in {b".", b".."} or len(name) > 255:
        return None
    places = [pool for pool in pools(facts.overrides, facts.home, facts.platform) if pool.origin in {"mise", "asdf"}]
    for pool in places:
        path = join(pool.directory, name)
        exact = None if _is_alias(path, facts) else whole(path, pool.origin, facts.disk)
        if exact is not None:
            return exact
    found: list[tuple[tuple[int, ...], Interpreter]] = []
    for pool in places:
        for entry in facts.disk.folders(pool.directory):
            path = join(pool.directory, entry)
            if not _is_alias(path, facts) and (name == b"latest" or entry.startswith(name + b".")):
                interpreter = whole(path, pool.origin, facts.disk)
                if interpreter is not None:
                    found.append((release(_text(entry)), interpreter))
    return max(found, key=lambda one: one[0], default=(None, None))[1]


def _is_alias(path: bytes, facts: Facts) -> bool:
    """True for mise's own second names, `3`, `3.12` and `latest`: links that begin with ``./``."""
    return (facts.disk.readlink(path) or b"").startswith(b"./")


def _encodes(text: str) -> bool:
    return text.isprintable() and not any("\ud800" <= character <= "\udfff" for character in text)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")
