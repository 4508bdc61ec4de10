"""The layers of the package docstring, proven by reading every import."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.playfield import write

PACKAGE = Path(__file__).parents[2] / "daemon" / "alight"
LINES_LIMIT = 400
SOCKETS = {"zmq", "socket", "_socket", "socketserver", "asyncio"}
SOCKET_USERS = {"server", "client", "query", "lifecycle"}
ALONE = {"query"}
"""Started by shells without the package's dependencies."""


@dataclass(frozen=True)
class Layers:
    """Row number of each top-level module; ``apart`` are pairs that do not import each other."""

    rows: dict[str, int]
    apart: frozenset[frozenset[str]]


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name below the package, the modules of the package and others it imports."""

    name: str
    path: Path
    tree: ast.Module
    inner: frozenset[str]
    outer: frozenset[str]

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


def layers(docstring: str) -> Layers:
    """Read the table: row's name, then its modules two spaces apart; ``a | b | c``: a stays apart from the others."""
    table = docstring.partition("Layers, lowest first")[2]
    rows: dict[str, int] = {}
    apart: set[frozenset[str]] = set()
    for number, line in enumerate(re.findall(r"^ {4}(\S.*)$", table, re.MULTILINE)):
        for cell in re.split(r"\s{2,}", line)[1:]:
            names = cell.split(" | ")
            if any(not re.fullmatch(r"\w+", name) for name in names):
                break
            rows |= dict.fromkeys(names, number)
            apart |= {frozenset({names[0], other}) for other in names[1:]}
    return Layers(rows, frozenset(apart))


def modules(package: Path) -> list[Module]:
    """Every source file of the package with what it imports, wherever in the file the import stands."""
    paths = {_name(package, path): path for path in sorted(package.rglob("*.py"))}
    return [_module(name, path, paths) for name, path in paths.items()]


def violations(package: Path) -> Iterator[str]:
    """Every breach of the rules, one sentence each."""
    found = modules(package)
    table = layers(ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or "")
    for module in found:
        yield from _row_violations(module, table)
        yield from _use_violations(module)
    yield from _cycles(found)


def _row_violations(module: Module, table: Layers) -> Iterator[str]:
    if module.name in {"", "__main__"}:
        return
    if module.top not in table.rows:
        yield f"{module.name} belongs to no row"
        return
    if module.top in ALONE and module.inner:
        yield f"{module.name} stands alone but imports {', '.join(sorted(module.inner))}"
    for target in sorted(module.inner):
        top = target.partition(".")[0]
        if top and table.rows.get(top, -1) > table.rows[module.top]:
            yield f"{module.name} imports {target} from a higher row"
        if frozenset({top, module.top}) in table.apart:
            yield f"{module.name} imports {target}, its other end"


def _use_violations(module: Module) -> Iterator[str]:
    if module.outer & SOCKETS and module.top not in SOCKET_USERS:
        yield f"{module.name} imports {', '.join(sorted(module.outer & SOCKETS))}"
    if module.top != "cli":
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _prints(node.func):
                yield f"{module.name} prints in line {node.lineno}"
    lines = len(module.path.read_text().splitlines())
    if lines > LINES_LIMIT:
        yield f"{module.name} has {lines} lines"


def _cycles(found: list[Module]) -> Iterator[str]:
    graph = {module.name: module.inner - {module.name} for module in found}
    while graph:
        leaves = {name for name, targets in graph.items() if not targets & graph.keys()}
        if not leaves:
            # What only leads to a cycle is not part of it.
            entered = {target for targets in graph.values() for target in targets}
            rest = {name: targets for name, targets in graph.items() if name in entered}
            if len(rest) == len(graph):
                yield f"imports run in a circle: {', '.join(sorted(graph))}"
                return
            graph = rest
            continue
        graph = {name: targets for name, targets in graph.items() if name not in leaves}


def _prints(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id == "print"
    return isinstance(function, ast.Attribute) and ast.unparse(function) in {"click.echo", "click.secho", "rich.print"}


def _module(name: str, path: Path, paths: dict[str, Path]) -> Module:
    tree = ast.parse(path.read_text(), str(path))
    inner: set[str] = set()
    outer: set[str] = set()
    for target in _imports(tree, name, is_package=path.name == "__init__.py"):
        parts = target.split(".")
        if parts[0] != "alight":
            outer.add(parts[0])
            continue
        # ``from alight.wire import codec`` names a module, ``from alight.wire.codec import X`` something in it.
        dotted = ".".join(parts[1:])
        while dotted not in paths:
            dotted = dotted.rpartition(".")[0]
        if dotted:
            inner.add(dotted)
    return Module(name, path, tree, frozenset(inner), frozenset(outer))


def _imports(tree: ast.Module, name: str, *, is_package: bool) -> Iterator[str]:
    here = ["alight", *name.split(".")] if name else ["alight"]
    package = here if is_package else here[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _name(package: Path, path: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_package_keeps_its_layers() -> None:
    """No module imports from a row above its own, sockets and printing stay where they belong, no file is too long."""
    assert list(violations(PACKAGE)) == []


def test_the_table_is_read() -> None:
    """The docstring's table gives each row its modules and leaves its comments out."""
    table = layers(ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text())) or "")
    assert table.rows["errors"] == table.rows["model"] == 0
    assert table.rows["files"] < table.rows["systems"] == table.rows["interpreters"] < table.rows["resolver"]
    assert table.rows["resolver"] < table.rows["index"] == table.rows["trust"] < table.rows["cli"]
    assert table.apart == {frozenset({"server", "client"}), frozenset({"server", "query"})}
    assert not {"bytes", "what", "disk"} & table.rows.keys()


@pytest.fixture
def planted(tmp_path: Path) -> Callable[[dict[str, str]], list[str]]:
    """A small package with the same table, its breaches after files were added."""
    package = tmp_path / "alight"
    write(package / "__init__.py", (PACKAGE / "__init__.py").read_text())

    def plant(files: dict[str, str]) -> list[str]:
        for name, text in files.items():
            write(package / name, text)
        return list(violations(package))

    return plant


@pytest.mark.parametrize(
    ("files", "breach"),
    [
        ({"model.py": "from alight import resolver\n", "resolver.py": ""}, "model imports resolver from a higher row"),
        ({"model.py": "def f():\n    import alight.index\n", "index.py": ""}, "model imports index from a higher row"),
        ({"systems/__init__.py": "from ..index import X\n", "index.py": ""}, "systems imports index from a higher row"),
        ({"stray.py": ""}, "stray belongs to no row"),
        ({"query.py": "import alight.errors\n", "errors.py": ""}, "query stands alone but imports errors"),
        (
            {"client.py": "from alight.server import loop\n", "server/loop.py": ""},
            "client imports server.loop, its other end",
        ),
        ({"index.py": "import socket\n"}, "index imports socket"),
        ({"trust/judge.py": "from zmq import Context\n"}, "trust.judge imports zmq"),
        ({"resolver.py": "x = 1\nprint(x)\n"}, "resolver prints in line 2"),
        ({"app.py": "import click\nclick.echo('x')\n"}, "app prints in line 2"),
        ({"model.py": "x = 1\n" * 401}, "model has 401 lines"),
        (
            {
                "health/a.py": "import alight.projects\n",
                "projects.py": "from alight.health.a import b\n",
                "resolver.py": "from alight import projects\n",
            },
            "imports run in a circle: health.a, projects",
        ),
    ],
)
def test_a_planted_breach_is_found(
    planted: Callable[[dict[str, str]], list[str]], files: dict[str, str], breach: str
) -> None:
    """Each rule fails on the smallest package that breaks it, and on nothing else in it."""
    assert planted(files) == [breach]


def test_what_is_allowed_is_not_found(planted: Callable[[dict[str, str]], list[str]]) -> None:
    """Imports downward and within a row, sockets at the ends and printing at the edge are fine."""
    assert planted({
        "errors.py": "",
        "model.py": "from alight.errors import AlightError\n",
        "server/__init__.py": "",
        "server/loop.py": "import zmq\nfrom alight.model import Code\n",
        "cli/main.py": "import click\nprint('x')\nclick.echo('y')\n",
        "query.py": "import _socket\n",
    }) == []  # fmt: skip
