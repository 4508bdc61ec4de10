"""Which file a word starts and which Python runs it, beside what shells, the kernel and pyenv really do."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from alight.landing import program
from alight.landing.python import inspect
from support.callers import SYSTEM_PATH, caller
from support.playfield import link, write
from support.pythons import pythons

SAYS = "import os, sys\nsys.stdout.write(os.path.realpath(sys.executable) + '\\n' + sys.prefix)\n"
"""A script that names the Python that runs it."""


def script(path: Path, first: str, rest: str = SAYS) -> Path:
    """An executable script with this first line."""
    write(path, f"{first}\n{rest}").chmod(0o755)
    return path


def said(path: Path | str, directory: Path, **variables: str) -> tuple[bytes, bytes]:
    """(the real interpreter, its prefix) of a script that was really run."""
    environ = {"PATH": SYSTEM_PATH, "HOME": str(directory), **variables}
    told = subprocess.run([path], cwd=directory, env=environ, capture_output=True, check=True, timeout=30)
    real, _, prefix = told.stdout.partition(b"\n")
    return real, prefix


def found(word: Path | str, directory: Path, **variables: str) -> program.Program | None:
    """What is predicted."""
    return program.find(os.fsencode(word), caller(directory, directory, variables))


def agrees(path: Path, directory: Path, **variables: str) -> program.Program:
    """The Python that is predicted is the one that really runs the script."""
    context = caller(directory, directory, variables)
    predicted = program.find(os.fsencode(path), context)
    assert predicted is not None and predicted.python is not None
    real, prefix = said(path, directory, **variables)
    assert context.disk.realpath(predicted.python) == real
    inspected = program_prefix(predicted.python, directory, variables)
    assert inspected == prefix
    return predicted


def program_prefix(python: bytes, directory: Path, variables: Mapping[str, str]) -> bytes | None:
    """The prefix of the Python that was found."""
    read = inspect(python, caller(directory, directory, variables))
    return None if read is None else read.prefix


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A venv whose path has a blank in it."""
    prefix = tmp_path / "with blank" / "e"
    subprocess.run([pythons()[-1].executable, "-m", "venv", "--without-pip", prefix], check=True, timeout=60)
    return prefix


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A venv without a blank in its path."""
    subprocess.run([pythons()[-1].executable, "-m", "venv", "--without-pip", tmp_path / "e"], check=True, timeout=60)
    return tmp_path / "e"


def test_first_lines_that_name_an_interpreter(plain: Path, tmp_path: Path) -> None:
    """An absolute interpreter is taken as written, with blanks and an option around it."""
    python = plain / "bin/python3"
    for at, first in enumerate((f"#!{python}", f"#! {python}", f"#!{python} -E", f"#!\t{python}  -sE ")):
        assert agrees(script(tmp_path / f"s{at}", first), tmp_path).python == os.fsencode(python)
    flags = [found(tmp_path / f"s{at}", tmp_path) for at in range(4)]
    assert [sorted(one.flags) if one is not None else None for one in flags] == [[], [], ["E"], ["E", "s"]]


def test_first_lines_that_ask_env(plain: Path, tmp_path: Path) -> None:
    """``env`` looks on PATH, and splits and assigns where it is told to."""
    on_path = f"{plain / 'bin'}:{SYSTEM_PATH}"
    for at, first in enumerate((
        "#!/usr/bin/env python3", "#!/usr/bin/env -S python3 -E", "#!/usr/bin/env -S FOO=1 python3",
        "#! /usr/bin/env python",
    )):  # fmt: skip
        predicted = agrees(script(tmp_path / f"s{at}", first), tmp_path, PATH=on_path)
        assert predicted.python in (os.fsencode(plain / "bin/python3"), os.fsencode(plain / "bin/python"))
    assert agrees(tmp_path / "s0", tmp_path, PATH=SYSTEM_PATH).python in (
        b"/usr/local/bin/python3",
        b"/usr/bin/python3",
    )


@pytest.mark.parametrize("form", ["distlib", "uv", "relocatable"])
def test_scripts_that_start_in_a_shell(form: str, environment: Path, tmp_path: Path) -> None:
    """Paths with blanks or of great length are started by ``/bin/sh``, and those of movable scripts are relative."""
    python = environment / "bin/python3"
    start = {
        "distlib": f'\'\'\'exec\' "{python}" "$0" "$@"',
        "uv": f"'''exec' '{python}' \"$0\" \"$@\"",
        "relocatable": '\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python3\' "$0" "$@"',
    }[form]
    path = script(environment / "bin/tool", "#!/bin/sh", f"{start}\n' '''\n{SAYS}")
    assert agrees(path, tmp_path).python == os.fsencode(python)
    link(tmp_path / "linked", str(path))
    agrees(tmp_path / "linked", tmp_path)


def test_a_script_without_its_interpreter(tmp_path: Path) -> None:
    """A first line that names nothing fails to start."""
    path = script(tmp_path / "s", f"#!{tmp_path}/gone/bin/python")
    with pytest.raises(FileNotFoundError):
        said(path, tmp_path)
    predicted = found(path, tmp_path)
    assert predicted is not None and predicted.problem == "interpreter-missing"
    script(tmp_path / "e", "#!/usr/bin/env no-such-python")
    predicted = found(tmp_path / "e", tmp_path)
    assert predicted is not None and predicted.problem == "interpreter-missing"


def test_scripts_that_no_python_runs(tmp_path: Path) -> None:
    """Other interpreters, none, binaries and empty files are no Python's."""
    script(tmp_path / "a", "#!/bin/sh")
    script(tmp_path / "b", "echo hello")
    write(tmp_path / "c").chmod(0o755)
    script(tmp_path / "d", "#!")
    for name in "abcd":
        predicted = found(tmp_path / name, tmp_path)
        assert predicted is not None and predicted.python is None
    predicted = found("ls", tmp_path)
    assert predicted is not None and predicted.python is None


def test_links_to_scripts_and_interpreters(plain: Path, tmp_path: Path) -> None:
    """A link to a script is run by that script's Python; a link to an interpreter is an interpreter."""
    path = script(plain / "bin/tool", f"#!{plain / 'bin/python'}")
    link(tmp_path / "tool-link", str(path))
    assert agrees(tmp_path / "tool-link", tmp_path).python == os.fsencode(plain / "bin/python")
    link(tmp_path / "py-link", str(plain / "bin/python"))
    predicted = found(tmp_path / "py-link", tmp_path)
    assert predicted is not None and predicted.python == os.fsencode(tmp_path / "py-link")


def test_a_script_that_runs_a_script(plain: Path, tmp_path: Path) -> None:
    """The kernel follows an interpreter that is a script itself."""
    inner = script(tmp_path / "inner", f"#!{plain / 'bin/python'}", "")
    outer = script(tmp_path / "outer", f"#!{inner}", "")
    predicted = found(outer, tmp_path)
    assert predicted is not None and predicted.python == os.fsencode(plain / "bin/python")
    loop = tmp_path / "loop"
    script(loop, f"#!{loop}", "")
    predicted = found(loop, tmp_path)
    assert predicted is not None and predicted.python is None


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(
    "path",
    ["one:two", "two:one", ":two", "two:", "one::two", ".:two", "absent:one", "plain:two", "folder:two", "sub/../one"],
)
def test_path_is_searched_as_shells_do(shell: str, path: str, tmp_path: Path) -> None:
    """The first executable regular file wins; an empty entry is the current directory, relative ones start there."""
    if shutil.which(shell) is None:
        pytest.fail(f"{shell} belongs to the tests")
    for name in ("one", "two", "."):
        script(tmp_path / name / "word", "#!/bin/sh")
    write(tmp_path / "plain/word", "#!/bin/sh\n")
    (tmp_path / "folder/word").mkdir(parents=True)
    (tmp_path / "sub").mkdir()
    asked = "type -P word" if shell == "bash" else "whence -p word"
    flags = ["--norc", "--noprofile"] if shell == "bash" else ["-f"]
    answer = subprocess.run(
        [str(shutil.which(shell)), *flags, "-c", asked],
        cwd=tmp_path, env={"PATH": path}, capture_output=True, check=True, timeout=30,
    ).stdout.strip()  # fmt: skip
    located = program.locate(b"word", caller(tmp_path, tmp_path, {"PATH": path}))
    assert located is not None
    assert os.path.realpath(os.path.join(os.fsencode(tmp_path), answer)) == os.path.realpath(located)


def test_words_that_are_not_looked_up(tmp_path: Path) -> None:
    """A word with a slash is a path from here; what is absent, not executable or empty is nothing."""
    script(tmp_path / "here/word", "#!/bin/sh")
    write(tmp_path / "here/other")
    context = caller(tmp_path, tmp_path)
    assert program.locate(b"here/word", context) == os.fsencode(tmp_path / "here/word")
    assert program.locate(b"./here/word", context) == os.fsencode(tmp_path) + b"/./here/word"
    for word in (b"here/other", b"here", b"absent", b"", b"a\0b", b"no-such-command"):
        assert program.locate(word, context) is None


def test_what_the_shell_remembers_comes_first(tmp_path: Path) -> None:
    """A remembered command is taken before PATH is looked at."""
    for name in ("one", "two"):
        script(tmp_path / name / "word", "#!/bin/sh")
    path = f"{tmp_path / 'one'}:{tmp_path / 'two'}"
    context = caller(tmp_path, tmp_path, {"PATH": path}, hashed={"word": str(tmp_path / "two/word")})
    assert program.locate(b"word", context) == os.fsencode(tmp_path / "two/word")


PYENV = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv"
needs_pyenv = pytest.mark.skipif(not (PYENV / "libexec/pyenv").exists(), reason="there is no pyenv on this machine")


@pytest.fixture
def pyenv(tmp_path: Path) -> Path:
    """A root of pyenv's own, with its real shims and links to the real versions."""
    root = tmp_path / "pyenv"
    (root / "versions").mkdir(parents=True)
    (root / "shims").mkdir()
    for version in (PYENV / "versions").iterdir():
        link(root / "versions" / version.name, str(version))
    (root / "version").write_text("3.11.7\n")
    environ = {"PYENV_ROOT": str(root), "PATH": SYSTEM_PATH, "HOME": str(tmp_path)}
    subprocess.run([PYENV / "bin/pyenv", "rehash"], env=environ, check=True, timeout=60, capture_output=True)
    return root


STATES: dict[str, tuple[str | None, str | None]] = {
    "global": (None, None),
    "exported": ("3.12.1", None),
    "prefix": ("3.12", None),
    "python-prefix": ("python-3.10", None),
    "two": ("3.11.7:3.12.1", None),
    "system": ("system", None),
    "missing": ("3.99", None),
    "missing-then-there": ("3.99:3.12.1", None),
    "file": (None, "3.10.13\n"),
    "file-of-two": (None, "# comment\n3.11.7\n3.12.1\n"),
    "file-for-uv": (None, ">=3.12\n"),
    "file-cpython": (None, "cpython-3.12\n"),
    "file-empty": (None, ""),
    "file-escaping": (None, "../../x\n"),
    "exported-over-file": ("3.12.1", "3.10.13\n"),
}


@needs_pyenv
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("word", ["pip", "pip3.12", "python"])
def test_shims_of_pyenv(state: str, word: str, pyenv: Path, tmp_path: Path) -> None:
    """What stands behind a shim is what ``pyenv which`` says, silent falls to the system's included."""
    exported, written = STATES[state]
    project = tmp_path / "project/sub"
    project.mkdir(parents=True)
    if written is not None:
        write(tmp_path / "project/.python-version", written)
    variables = {"PYENV_ROOT": str(pyenv), "PATH": f"{pyenv / 'shims'}:{SYSTEM_PATH}"}
    variables |= {"PYENV_VERSION": exported} if exported is not None else {}
    environ = {"HOME": str(tmp_path), **variables}
    name = subprocess.run(
        [PYENV / "bin/pyenv", "version-name", "-f"],
        cwd=project, env=environ, capture_output=True, check=True, text=True, timeout=60,
    ).stdout.strip()  # fmt: skip
    # What `pyenv exec` does, which shims call.
    asked = subprocess.run(
        [PYENV / "bin/pyenv", "which", word],
        cwd=project, env={**environ, "PYENV_VERSION": name}, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    context = caller(project, tmp_path, variables)
    predicted = program.find(os.fsencode(word), context)
    if asked.returncode != 0:
        assert predicted is None
        return
    assert predicted is not None
    assert predicted.path == os.fsencode(pyenv / "shims" / word)
    assert predicted.script == asked.stdout.strip() or predicted.python == asked.stdout.strip()
    assert (predicted.fell == "pyenv-lacks-version") == (b"3.99" in (exported or "").encode() or bool(
        written and ("cpython" in written or ">" in written)
    ))  # fmt: skip
    assert predicted.doubts == ()


@needs_pyenv
def test_unknown_hooks_of_pyenv_leave_a_doubt(pyenv: Path, tmp_path: Path) -> None:
    """Code that may choose another version makes the answer only likely."""
    write(pyenv / "pyenv.d/which/mine.bash")
    write(pyenv / "pyenv.d/exec/pip-rehash.bash")
    variables = {"PYENV_ROOT": str(pyenv), "PATH": f"{pyenv / 'shims'}:{SYSTEM_PATH}"}
    predicted = program.find(b"pip", caller(tmp_path, tmp_path, variables))
    assert predicted is not None and len(predicted.doubts) == 1 and "mine.bash" in predicted.doubts[0]


def test_shims_of_asdf(tmp_path: Path) -> None:
    """The versions of ``.tool-versions`` that the shim lists; settings may say otherwise."""
    data = tmp_path / ".asdf"
    shim = script(
        data / "shims/pip", "#!/usr/bin/env bash",
        '# asdf-plugin: python 3.11.7\n# asdf-plugin: python 3.12.1\nexec asdf exec "pip" "$@"\n',
    )  # fmt: skip
    script(data / "installs/python/3.12.1/bin/pip", f"#!{pythons()[-1].executable}")
    write(tmp_path / "app/.tool-versions", "nodejs 20\npython 3.12.1\n")
    predicted = program.find(os.fsencode(shim), caller(tmp_path / "app", tmp_path))
    assert predicted is not None and predicted.python == os.fsencode(pythons()[-1].executable) and predicted.doubts
    elsewhere = program.find(os.fsencode(shim), caller(tmp_path, tmp_path))
    assert elsewhere is not None and elsewhere.python is None and elsewhere.doubts


def test_shims_of_mise(tmp_path: Path) -> None:
    """A link to mise by another name; its files say which Python, its settings may say otherwise."""
    mise = script(tmp_path / "bin/mise", "#!/bin/false")
    link(tmp_path / "mise/shims/pip", str(mise))
    version = tmp_path / "mise/installs/python/3.12.1"
    write(version / "lib/python3.12/os.py")
    write(version / "bin/python3.12", "\x7fELF").chmod(0o755)
    script(version / "bin/pip", f"#!{pythons()[-1].executable}")
    write(tmp_path / "app/mise.toml", '[tools]\npython = "3.12"\n')
    variables = {"MISE_DATA_DIR": str(tmp_path / "mise"), "PATH": str(tmp_path / "mise/shims")}
    predicted = program.find(b"pip", caller(tmp_path / "app", tmp_path, variables))
    assert predicted is not None and predicted.python == os.fsencode(pythons()[-1].executable) and predicted.doubts
