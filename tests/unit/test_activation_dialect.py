"""What environments' own scripts say, compared with what sourcing them does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alight.activation.changes import changes
from alight.activation.dialect import SCRIPT_LIMIT, Dialect, parse_dialect, read_dialect
from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.model import Environment
from support.pythons import Python, pythons

NAMES = {
    "plain": b"plain",
    "spaces": b" two  spaces",
    "quotes": b'it\'s "quoted"',
    "dollar": b"$(true)`true`$HOME",
    "unicode": "Ünïcødé 环境".encode(),
    "backslash": b"back\\slash\\'$x",
}
"""Names that the scripts have to quote."""

ORACLE = {"bash": 'source "$1" && env -0', "fish": "source $argv[1]; and env -0"}
WATCHED = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PKG_CONFIG_PATH", "TCL_LIBRARY", "TK_LIBRARY", "PYTHONHOME")


def disk() -> Disk:
    return Disk(os.getuid(), SystemClock())


def environment(prefix: bytes) -> Environment:
    return Environment(prefix, "venv", "venv", "x", "", prefix + b"/bin/python", None, ())


def sourced(shell: str, prefix: Path, more: Mapping[str, str]) -> dict[str, bytes] | None:
    """The environment after sourcing the script in a clean shell; None when the script itself is broken."""
    script = os.fsencode(prefix / "bin" / ("activate.fish" if shell == "fish" else "activate"))
    program = shutil.which(shell)
    assert program is not None
    words = (
        [program, "--no-config", "-c", ORACLE[shell]]
        if shell == "fish"
        else [program, "--norc", "-c", ORACLE[shell], "x"]
    )
    done = subprocess.run(
        [*words, script],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", **more},
        cwd=prefix.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    entries = (entry.partition(b"=") for entry in done.stdout.split(b"\0") if entry)
    found = {
        name.decode(): value for name, _, value in entries if name.decode("ascii", "replace") in (*WATCHED, "PATH")
    }
    if done.returncode != 0 or found.get("VIRTUAL_ENV") != os.fsencode(prefix):
        return None
    return found


def planned(shell: str, prefix: Path, more: Mapping[str, str]) -> dict[str, bytes]:
    """What the plan would make of the same variables."""
    given_variables = {"PATH": b"/usr/bin:/bin", **{name: os.fsencode(value) for name, value in more.items()}}
    wanted = changes(environment(os.fsencode(prefix)), given_variables, shell, disk())
    after = {name: value for name, value in given_variables.items() if name in (*WATCHED, "PATH")}
    for name in wanted.unset:
        after.pop(name, None)
    after |= dict(wanted.set)
    after["PATH"] = b":".join((*wanted.path_add, after["PATH"]))
    return after


def compare(prefix: Path, *, whole: bool = False) -> int:
    """Both shells, with and without what scripts look at; how many scripts worked at all."""
    working = 0
    for shell in ("bash", "fish"):
        for more in ({}, {"PYTHONHOME": "/old", "PKG_CONFIG_PATH": "/pc"}, {"VIRTUAL_ENV_DISABLE_PROMPT": "1"}):
            expected, ours = sourced(shell, prefix, more), planned(shell, prefix, more)
            if expected is None:
                assert not whole, f"the {shell} script of {prefix} does not work"
                assert ours["VIRTUAL_ENV"] == os.fsencode(prefix)
                continue
            working += 1
            assert ours == expected, f"{shell} {more}"
    return working


def inside(tmp_path: Path, name: str) -> Path:
    directory = tmp_path / os.fsdecode(NAMES[name])
    directory.mkdir()
    return directory / ".venv"


def make(command: list[str | bytes], cwd: Path) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, cwd=cwd)


@pytest.mark.parametrize("python", pythons(), ids=str)
def test_every_pythons_venv(python: Python, tmp_path: Path) -> None:
    """The scripts of each installed Python, with names that need quotes and with a prompt of the user's."""
    for name in NAMES:
        prefix = inside(tmp_path, name)
        make([str(python.executable), "-I", "-m", "venv", "--without-pip", os.fsencode(prefix)], tmp_path)
        working = compare(prefix, whole=name in ("plain", "spaces", "unicode"))
        assert working or name not in ("plain", "spaces", "unicode")
    for number, prompt in enumerate(("mine", "two words", "it's")):
        prefix = tmp_path / f"prompt{number}"
        make([str(python.executable), "-I", "-m", "venv", "--without-pip", "--prompt", prompt, str(prefix)], tmp_path)
        compare(prefix, whole=number < 2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tool", ["virtualenv", "uv"])
@pytest.mark.limit(120)
def test_virtualenv_and_uv(tool: str, name: str, tmp_path: Path) -> None:
    """The scripts of virtualenv and uv quote everything; so all of them work, and say what is planned."""
    own = Path(sys.executable).parent
    command = {
        "virtualenv": [
            sys.executable,
            "-I",
            "-m",
            "virtualenv",
            "--no-periodic-update",
            "--no-seed",
            "--app-data",
            str(tmp_path / "data"),
        ],
        "uv": [str(own / "uv"), "venv", "--offline", "--no-config", "--python", sys.executable],
    }[tool]
    prefix = inside(tmp_path, name)
    make([*command, os.fsencode(prefix)], tmp_path)
    assert compare(prefix) > 0
    prompted = prefix.with_name("prompted")
    make([*command, "--prompt", "two words", os.fsencode(prompted)], tmp_path)
    compare(prompted)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("VIRTUAL_ENV='/a b'", b"/a b"),
        ('VIRTUAL_ENV="/a b"', b"/a b"),
        ("VIRTUAL_ENV=/ab", b"/ab"),
        ("export VIRTUAL_ENV=/ab", b"/ab"),
        ("    VIRTUAL_ENV='/ab'\r", b"/ab"),
        ("VIRTUAL_ENV='/it'\"'\"'s $x'", b"/it's $x"),
        ("VIRTUAL_ENV=\"/it's $(touch x) isn't\"", None),
        ("VIRTUAL_ENV=/$HOME", None),
        ("VIRTUAL_ENV=`touch x`", None),
        ("VIRTUAL_ENV='/a' touch x", None),
        ("VIRTUAL_ENV='/a'; touch x", None),
        ("VIRTUAL_ENV='/unclosed", None),
        ("VIRTUAL_ENV=relative", None),
        ("VIRTUAL_ENV=", None),
        ("XVIRTUAL_ENV=/x", None),
        ("VIRTUAL_ENV=" + "/x" * 5000, None),
    ],
)
def test_only_plain_literals_are_read(line: str, value: bytes | None) -> None:
    """What the shell would expand, or what is more than one word, is taken as not said."""
    assert parse_dialect(line.encode(), b"/p", fish=False).virtual_env == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("set -gx VIRTUAL_ENV '/a b'", b"/a b"),
        ('set -gx VIRTUAL_ENV "/a b"', b"/a b"),
        ("set -gx VIRTUAL_ENV '/it\\'s \\\\ $x \\n'", b"/it's \\ $x \\n"),
        ('set -gx VIRTUAL_ENV "/$HOME"', None),
        ("set -gx VIRTUAL_ENV (touch x)", None),
        ("set -gx VIRTUAL_ENV /a /b", None),
        ("VIRTUAL_ENV=/a", None),
    ],
)
def test_fish_quotes_otherwise(line: str, value: bytes | None) -> None:
    """In fish's single quotes a backslash escapes the quote and itself."""
    assert parse_dialect(line.encode(), b"/p", fish=True).virtual_env == value


def test_the_baked_path_counts_only_where_it_leads_to_the_same_place(tmp_path: Path) -> None:
    """Another spelling is kept; another place, and what cannot stand in PATH, is not."""
    real = tmp_path / "real"
    (real / "bin").mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "a:b").mkdir()
    (tmp_path / "esc\x1b").symlink_to(real)

    def baked(path: str) -> bytes:
        (real / "bin" / "activate").write_text(f"VIRTUAL_ENV='{path}'\n")
        wanted = changes(environment(os.fsencode(real)), {}, "bash", disk())
        assert wanted.path_add == (dict(wanted.set)["VIRTUAL_ENV"] + b"/bin",)
        return dict(wanted.set)["VIRTUAL_ENV"]

    own = os.fsencode(real)
    assert baked(str(tmp_path / "link")) == os.fsencode(tmp_path / "link")
    assert baked("/usr") == own
    assert baked(f"{tmp_path}/a:b/../real") == own
    assert baked(f"{tmp_path}/./real") == own
    assert baked(f"{tmp_path}/esc\x1b") == own


def test_without_a_script_the_answer_is_that_of_a_current_virtualenv(tmp_path: Path) -> None:
    """A missing, too large, or special script changes nothing but the two variables."""
    (tmp_path / "bin").mkdir()
    plain = Dialect(prompt=os.fsencode(tmp_path.name))
    assert read_dialect(disk(), os.fsencode(tmp_path), "zsh") == plain
    os.mkfifo(tmp_path / "bin" / "activate")
    assert read_dialect(disk(), os.fsencode(tmp_path), "zsh") == plain
    (tmp_path / "bin" / "activate").unlink()
    (tmp_path / "bin" / "activate").write_bytes(b"#" * (SCRIPT_LIMIT + 1))
    assert read_dialect(disk(), os.fsencode(tmp_path), "zsh") == plain


def test_a_prompt_holds_no_control_octets(tmp_path: Path) -> None:
    """Escape sequences in a script's prompt or library paths do not reach the shell."""
    (tmp_path / "bin").mkdir()
    text = b"VIRTUAL_ENV_PROMPT='a\x1b[31m\x07b'\nTCL_LIBRARY='/t\x1fcl'\nTK_LIBRARY='relative'\n"
    (tmp_path / "bin" / "activate").write_bytes(text)
    wanted = dict(changes(environment(os.fsencode(tmp_path)), {}, "bash", disk()).set)
    assert wanted["VIRTUAL_ENV_PROMPT"] == b"a[31mb"
    assert wanted["TCL_LIBRARY"] == b"/tcl"
    assert "TK_LIBRARY" not in wanted


_LINES = st.lists(
    st.sampled_from(
        [
            b"VIRTUAL_ENV=",
            b"export  ",
            b"set -gx TCL_LIBRARY ",
            b"'",
            b'"',
            b"\\",
            b"$(x)",
            b" ",
            b"\n",
            b"\r\n",
            b"\0",
            b"\xff",
            b"/a",
        ]
    ),
    max_size=60,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(_LINES | st.binary(max_size=200), st.booleans())
def test_no_script_raises(script: bytes, fish: bool) -> None:
    """Whatever the octets, there is a dialect, and its path is absolute."""
    found = parse_dialect(script, b"/p/.venv", fish=fish)
    assert found.virtual_env is None or found.virtual_env.startswith(b"/")


@pytest.mark.parametrize(
    "piece",
    [
        b"'",
        b'"',
        b" ",
        b"\\",
        b"'\\",
        b"VIRTUAL_ENV='",
        b"VIRTUAL_ENV=''\n",
        b"export ",
        b"\t",
        b"export \t",
        b"\0",
        b"''",
        b"a\"'",
    ],
)
@pytest.mark.parametrize("fish", [False, True])
def test_the_largest_hostile_script_takes_little_time(piece: bytes, fish: bool) -> None:
    """64 KiB of anything costs well under a second of processor time: no pattern is quadratic."""
    start = (b"set -gx VIRTUAL_ENV " if fish else b"VIRTUAL_ENV=") + b"x"
    script = (start + piece * SCRIPT_LIMIT)[:SCRIPT_LIMIT]
    lines = b"\n".join([(start + piece * 4000)[:4000]] * 16)
    began = time.process_time()
    parse_dialect(script, b"/p", fish=fish)
    parse_dialect(lines, b"/p", fish=fish)
    assert time.process_time() - began < 1
