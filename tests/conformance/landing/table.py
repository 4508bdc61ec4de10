"""The tables of ``cases/`` as rows; the format is in README.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

CASES = Path(__file__).parent / "cases"
_STATE_KEYS = {"setup", "cwd", "env", "user", "note"}
_CASE_KEYS = {"states", "lines", "shell", "lands", "verdict", "quick", "executed", "note"}
_PACKAGE = re.compile(r"\b(tiny|mini|needs-tiny|olden)\b(?:[=<>~!@]+[\w.]+)?")
_PYTHON = re.compile(r"\$\{?(G\d+|CONDA|M)\b")


@dataclass(frozen=True)
class Row:
    """One line in one state."""

    id: str
    tool: str
    state: str
    line: str
    setup: str = ""
    cwd: str = "$HOME/empty"
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = "root"
    shell: str = "bash"
    lands: tuple[str, ...] | None = None
    verdict: str | None = None
    quick: bool = False
    executed: bool = True

    @property
    def key(self) -> tuple[object, ...]:
        """What makes this row another one than the next: not which package it installs."""
        line = _PACKAGE.sub("PACKAGE", self.line)
        return self.tool, self.setup, self.cwd, tuple(sorted(self.env.items())), self.user, self.shell, line

    @property
    def needs(self) -> frozenset[str]:
        """The Pythons without which the row makes no sense."""
        text = "\n".join((self.setup, self.cwd, self.line, *self.env.values()))
        found = set(_PYTHON.findall(text))
        if re.search(r"\$\{?PYENV_ROOT\b", text):
            found.add("PYENV_ROOT")
        return frozenset(found | ({"G12"} if re.search(r"\$\{?C\b", text) else set()))

    def packed(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


class BadTable(Exception):
    """A table that says something nobody knows."""


@cache
def rows() -> tuple[Row, ...]:
    """Every row of every table, in order; raises BadTable."""
    shared = _load(CASES / "states.toml").get("states", {})
    found: list[Row] = []
    for path in sorted(CASES.glob("*.toml")):
        if path.name != "states.toml":
            found += _rows(path, shared)
    repeated = {row.id for row in found if sum(other.id == row.id for other in found) > 1} if found else set()
    if repeated:
        raise BadTable(f"rows given twice: {', '.join(sorted(repeated))}")
    return tuple(found)


def distinct(given: Iterable[Row]) -> dict[tuple[object, ...], Row]:
    """One row of those that differ only in the package."""
    return {row.key: row for row in given}


def row_of(state: str) -> Row:
    """A row without a line, in a state of ``states.toml`` or of any table."""
    known = {}
    for path in sorted(CASES.glob("*.toml")):
        known |= _load(path).get("states", {})
    return _row(CASES, "shell", state, _joined(CASES, state, known), "", {})


def _rows(path: Path, shared: Mapping[str, Mapping[str, object]]) -> list[Row]:
    table = _load(path)
    states = {**shared, **table.get("states", {})}
    for name, state in states.items():
        _only(path, f"state {name}", state, _STATE_KEYS)
    found = []
    for case in table.get("cases", ()):
        _only(path, "a case", case, _CASE_KEYS)
        for name in case.get("states", ["bare"]):
            state = _joined(path, name, states)
            for line in case["lines"]:
                found.append(_row(path, table.get("tool", path.stem), name, state, line, case))
    return found


def _row(path: Path, tool: str, name: str, state: Mapping[str, object], line: str, case: Mapping[str, object]) -> Row:
    lands = case.get("lands")
    shell = case.get("shell", "bash")
    more = "" if shell == "bash" else f":{shell}"
    return Row(
        id=f"{path.stem}:{name}:{line}{more}",
        tool=tool,
        state=name,
        line=line,
        shell=shell,
        lands=None if lands is None else (lands,) if isinstance(lands, str) else tuple(lands),
        verdict=case.get("verdict"),
        quick=case.get("quick", False),
        executed=case.get("executed", True),
        **state,
    )


def _joined(path: Path, name: str, states: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    setups, joined = [], {"env": {}}
    for part in re.split(r"\s*\+\s*", name):
        if part not in states:
            raise BadTable(f"{path.name}: no state is called {part!r}")
        state = states[part]
        setups.append(state.get("setup", ""))
        joined |= {key: state[key] for key in ("cwd", "user") if key in state}
        joined["env"] = _merged(joined["env"], state.get("env", {}))
    return {**joined, "setup": "\n".join(filter(None, setups))}


def _merged(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """The later one holds; its ``$PATH`` is the earlier one's."""
    merged = dict(first)
    for name, value in second.items():
        merged[name] = value.replace("$PATH", first.get("PATH", "$PATH")) if name == "PATH" else value
    return merged


def _load(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadTable(f"{path.name}: {error}") from error


def _only(path: Path, what: str, table: Mapping[str, object], known: set[str]) -> None:
    if strange := set(table) - known:
        raise BadTable(f"{path.name}: {what} has {', '.join(sorted(strange))}")
