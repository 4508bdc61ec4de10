"""Functions that only pass their arguments on, as the shells print them, and what else a shell tells of its words."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alight.commandline import read
from alight.landing import told
from alight.landing.passing import passed_on

SHOWN = {
    "bash": ["--norc", "--noprofile", "-c", '. "$1"; declare -f -- "$2"', "bash"],
    "zsh": ["-f", "-c", '. "$1"; print -rn -- "$functions[$2]"', "zsh"],
    "fish": ["--no-config", "-c", "source $argv[1]; functions $argv[2]"],
}

ROWS: list[tuple[str, str, str, str | None]] = [
    ("bash zsh", "p", 'p() { pip install "$@"; }', "pip install"),
    ("bash zsh", "pip", "pip() { command pip $@; }", "command pip"),
    ("bash zsh", "p", 'function p { # "x"\n python3 -m pip -i \'a b\' \\\n "${@}" # y\n}', "python3 -m pip -i 'a b'"),
    ("bash zsh", "p", 'p() { PIP_USER=1 pip install $*; }', "PIP_USER=1 pip install"),
    ("bash zsh", "p", 'p() { sudo -H pip "$@"; }', "sudo -H pip"),
    ("bash zsh", "pip", 'pip() { env A=1 pip "$@"; }', "env A=1 pip"),
    ("bash zsh", "p", 'p() { pip install -r "$HOME/x" ~/y "$@" 2>&1; }', 'pip install -r "$HOME/x" ~/y'),
    ("bash", "p-3", 'p-3() { time pip3 "$@"; }', "time pip3"),
    ("bash", "p", 'shopt -s expand_aliases\nalias pip="pip --user"\np() { pip install "$@"; }', "pip --user install"),
    ("zsh", "p", 'p() noglob pip install $argv', "noglob pip install"),
    ("zsh", "p", 'alias pip="pip --user"\np() { pip install "$argv[@]" }', "pip --user install"),
    ("fish", "p", "alias p='pip install'", "pip install"),
    ("fish", "pip", "alias pip='pip --user'", "command pip --user"),
    ("fish", "p", "alias p 'uv pip install \"a b\"'", 'uv pip install "a b"'),
    ("fish", "p", "function p --wraps='pip x' --description 'x # \\'y'\n# (z\npip $argv # end\nend", "pip"),
    ("fish", "p-3", "function p-3 -a x y; A=1 command pip3 install $argv; end", "A=1 command pip3 install"),
    ("fish", "pip", "function pip; env A=1 pip $argv; end", "env A=1 pip"),
    ("bash zsh", "pip", 'pip() { pip "$@"; }', None),
    ("bash zsh", "pip", 'pip() { A=1 pip "$@"; }', None),
    ("bash zsh", "sudo", 'sudo() { sudo pip "$@"; }', None),
    ("bash zsh", "p", 'p() { pip install "$@" --user; }', None),
    ("bash zsh", "p", 'p() { pip install "$1"; }', None),
    ("bash zsh", "p", 'p() { pip install $1 "$@"; }', None),
    ("bash zsh", "p", 'p() { pip install "${@:2}"; }', None),
    ("bash zsh", "p", 'p() { pip install "$*"; }', None),
    ("bash zsh", "p", 'p() { pip install x"$@"; }', None),
    ("bash zsh", "p", "p() { pip install '$@'; }", None),
    ("bash zsh", "p", 'p() { pip install; }', None),
    ("bash zsh", "p", 'p() { "$@"; }', None),
    ("bash zsh", "p", 'p() { command "$@"; }', None),
    ("bash zsh", "p", 'p() { $PIP; pip "$@"; }', None),
    ("bash zsh", "p", 'p() { cd x; pip "$@"; }', None),
    ("bash zsh", "p", 'p() { shift; pip "$@"; }', None),
    ("bash zsh", "p", 'p() { set -- x; pip "$@"; }', None),
    ("bash zsh", "p", 'p() { local A=1; pip "$@"; }', None),
    ("bash zsh", "p", 'p() { [[ -n $1 ]] && pip "$@"; }', None),
    ("bash zsh", "p", 'p() { if true; then pip "$@"; fi; }', None),
    ("bash zsh", "p", 'p() { for x in a; do pip "$@"; done; }', None),
    ("bash zsh", "p", 'p() { (cd x; pip "$@"); }', None),
    ("bash zsh", "p", 'p() { pip "$@" | tee log; }', None),
    ("bash zsh", "p", 'p() { eval pip "$@"; }', None),
    ("bash zsh", "p", 'p() { exec pip "$@"; }', None),
    ("bash zsh", "p", 'p() { builtin cd "$@"; }', None),
    ("bash zsh", "p", 'p() { xargs pip "$@"; }', None),
    ("bash zsh", "p", "p() { bash -c 'pip x' \"$@\"; }", None),
    ("bash zsh", "p", 'p() { pip $(pip x) "$@"; }', None),
    ("bash zsh", "p", 'p() { pip install *.whl "$@"; }', None),
    ("bash zsh", "p", 'p() { q() { pip "$@"; }; }', None),
    ("zsh", "p", 'p() { pip $argv[1] "$@" }', None),
    ("zsh", "p", "autoload -U p", None),
    ("fish", "pip", "function pip; pip $argv; end", None),
    ("fish", "p", "function p; pip install \"$argv\"; end", None),
    ("fish", "p", "function p; pip install $argv[1]; end", None),
    ("fish", "p", "function p -a x; pip install $x $argv; end", None),
    ("fish", "p", "function p; pip install $argv --user; end", None),
    ("fish", "p", "function p; cd x; pip install $argv; end", None),
    ("fish", "p", "function p; if true; pip install $argv; end; end", None),
    ("fish", "p", "function p; pip install (pip x) $argv; end", None),
]  # fmt: skip


def printed(shell: str, name: str, code: str, folder: Path) -> bytes:
    """The function's source as the shell gives it."""
    file = folder / "code"
    file.write_text(code + "\n")
    shown = subprocess.run([str(shutil.which(shell)), *SHOWN[shell], file, name], capture_output=True, check=True)
    assert shown.stdout, shown.stderr
    return shown.stdout.removesuffix(b"\n")


@pytest.mark.parametrize(
    ("shell", "name", "code", "text"),
    [(shell, name, code, text) for shells, name, code, text in ROWS for shell in shells.split()],
)
def test_what_the_shell_prints(shell: str, name: str, code: str, text: str | None, tmp_path: Path) -> None:
    """A function that passes all it gets on to one command is an alias for it; every other one is none."""
    source = printed(shell, name, code, tmp_path)
    found = passed_on(name.encode(), source, shell)
    assert found == (None if text is None else text.encode()), source
    if found is not None:
        assert len(read(found, shell).commands) == 1


def test_another_function_is_not_this_one() -> None:
    """A source of another name, of two functions, with something behind it, or of an unknown shell says nothing."""
    bash, fish = b'p () \n{ \n    pip "$@"\n}', b"# Defined via `source`\nfunction p\n  pip $argv\nend"
    assert passed_on(b"p", bash, "bash") == b"pip"
    assert passed_on(b"p", fish, "fish") == b"pip"
    assert passed_on(b"q", bash, "bash") is None
    assert passed_on(b"q", fish, "fish") is None
    assert passed_on(b"p", bash + b"\n" + bash, "bash") is None
    assert passed_on(b"p", bash + b" > out", "bash") is None
    assert passed_on(b"p", fish + b"\n" + fish, "fish") is None
    assert passed_on(b"p", fish + b"; pip x", "fish") is None
    assert passed_on(b"p", fish + b"; # end", "fish") is None
    assert passed_on(b"p", bash, "fish") is None
    assert passed_on(b"p", fish, "bash") is None
    assert passed_on(b"p", b'pip "$@"', "sh") is None
    assert passed_on(b"p", b'pip "$@"' + b" " * 9000, "zsh") is None


def test_the_frames_of_a_shell() -> None:
    """Remembered files, functions with and without source, aliases and variables; an alias comes before a function."""
    frames = [
        b"hash pip=/bin/pip", b"hash x=relative", b"hash", b"function uv", b'function p=pip install "$@"', b"function ",
        b"function q=pip; pip x", b'function a=b "$@"', b"alias a=c", b"alias e=", b"alias f", b"what ever", b"",
        b"shell A=1=2", b"shell B=", b"shell C", b"shell 1=2", b"shell \xff=1", b"unset D", b"unset E=1", b"unset F G",
    ]  # fmt: skip
    found = told.parse(frames, "zsh")
    assert found.hashed == {b"pip": b"/bin/pip"}
    assert found.functions == {b"uv", b"q", b"a"}
    assert found.passing == {b"p"}
    assert found.aliases == {b"p": b"pip install", b"a": b"c", b"e": b""}
    assert found.shell_variables == {"A": b"1=2", "B": b"", "D": None}


PARTS = [
    b"p", b" ", b"()", b"{ ", b"\n", b";", b"}", b"pip", b'"$@"', b"$argv", b"function p", b"end", b"#", b"'", b'"',
    b"$(", b")", b"command ", b"A=1 ", b"\\", b"\xff", b"\0", b"--wraps='x y'", b"sudo ", b"&", b"<", b"a", b"(",
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=20), st.sampled_from(["bash", "zsh", "fish"]))
def test_any_source_is_read(parts: list[bytes], shell: str) -> None:
    """Whatever stands in a source, nothing is raised, and what comes out stands in it."""
    source = b"".join(parts)
    for text in (source, b"p () \n{ \n" + source + b"\n}", b"function p\n" + source + b"\nend"):
        found = passed_on(b"p", text, shell)
        assert found is None or (found and found in text)
