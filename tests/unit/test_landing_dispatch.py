"""From lines to predictions: whose command it is, which program runs it, and what came before it on the line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.landing import dispatch, pythonline
from alight.landing.base import Context, Prediction
from alight.landing.upcoming import after_creation
from alight.model import InstallAction, Landing
from support.callers import SYSTEM_PATH, caller
from support.condashape import conda_root
from support.playfield import link, write
from support.pythons import pythons

BASE = pythons()[-1].executable


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an environment that has a pip (a), one without (u), and a base of its own."""
    home = tmp_path_factory.mktemp("land")
    subprocess.run([BASE, "-m", "venv", home / "a"], check=True, timeout=120)
    subprocess.run([BASE, "-m", "venv", "--without-pip", home / "u"], check=True, timeout=120)
    (home / "empty").mkdir()
    return home


@pytest.fixture
def context(land: Path) -> Context:
    """Somebody in an empty folder, with the base's programs on PATH."""
    return caller(land / "empty", land, {"PATH": f"{BASE.parent}:{SYSTEM_PATH}"})


def predict(line: str, context: Context, shell: str = "bash") -> list[Prediction]:
    """The predictions alone."""
    return [prediction for _, _, prediction in dispatch.predictions(os.fsencode(line), shell, context)]


def one(line: str, context: Context, shell: str = "bash") -> Prediction:
    """The only prediction."""
    found = predict(line, context, shell)
    assert len(found) == 1, found
    return found[0]


def place(prediction: Prediction) -> str:
    """Its directory, as text."""
    assert prediction.landing is not None and prediction.landing.purelib is not None, prediction
    return os.fsdecode(prediction.landing.purelib)


LANDS_IN_A = [
    "{a}/bin/pip install x", "{a}/bin/python -m pip install x", "{a}/bin/python -mpip install x",
    "{a}/bin/python -Im pip install x", "{a}/bin/python -Wignore -X dev -sIm pip install x",
    "{a}/bin/python {u}/../a/bin/pip install x", "{a}/bin/python $B install x",
    "source {a}/bin/activate && pip install x",
    ". {a}/bin/activate; python -m pip install x", "PATH={a}/bin:$PATH pip install x", "(PATH={a}/bin pip install x)",
    "cd {a}/bin && ./pip install x", "for i in 1; do {a}/bin/pip install x; done", "x=$({a}/bin/pip install x)",
    "bash -c '{a}/bin/pip install x'", "env -i {a}/bin/pip install x", '{a}/bin/p"i"p in""stall x',
    'PATH={a}/bin:$PATH; "$(which pip)" install x', "PATH={a}/bin:$PATH; python `command -v pip` install x",
    "nohup nice -n 3 {a}/bin/pip install x", "{a}/bin/py-link -m pip install x",
    "{a}/bin/pip-link install x",
]  # fmt: skip


@pytest.mark.parametrize("line", LANDS_IN_A)
def test_spellings_of_one_environment(line: str, land: Path, context: Context) -> None:
    """However the environment's pip is called, it lands in the environment."""
    link(land / "a/bin/py-link", "python")
    link(land / "a/bin/pip-link", "pip")
    write(land / "a/lib" / f"python{minor()}/site-packages/pip/py.typed")
    text = line.format(a=land / "a", u=land / "u")
    script = f"{land}/a/lib/python{minor()}/site-packages/pip"
    found = one(text, context.inside(context.directory, B=os.fsencode(script)))
    assert found.outcome == "lands" and place(found) == f"{land}/a/lib/python{minor()}/site-packages"
    assert found.tool == "pip" and found.action == "install"


def minor() -> str:
    """X.Y of the base."""
    return ".".join(str(pythons()[-1]).split(".")[:2])


SILENT = [
    "echo pip install x", "git commit -m 'pip install x'", "f() { pip install x; }", "ls -m", "grep -rm pip .",
    "pip list", "python -c 'import pip'", "python script.py pip install", "python", "python -V -m pip install x",
    "# pip install x", "man pip", "which pip", "python - pip install", "command -v pip",
]  # fmt: skip


@pytest.mark.parametrize("line", SILENT)
def test_lines_that_install_nothing(line: str, context: Context) -> None:
    """Naming an installer is not running it."""
    assert all(found.outcome == "nothing" for found in predict(line, context))


UNKNOWN = {
    'eval "$(x)"; pip install x': "opaque-line",
    "source ~/.bashrc && pip install x": "opaque-line",
    "$PIP install x": "unknown-word",
    "$PYTHON -m pip install x": "unknown-word",
    'python "$(cat pip)" install x': "unknown-word",
    "v*/bin/pip install x": "unknown-word",
    '"$(./find pip)" install x': "unknown-word",
    "PATH=.:$PATH; cd $A/bin; python -m pip install x": "unknown-program",
    "git clone u && cd r && pip install x": "opaque-line",
    "mv a b; pip install x": "opaque-line",
    "echo 3.12 > .python-version; python -m pip install x": "opaque-line",
    "pip config set global.target t; pip install x": "opaque-line",
    "uv init && uv add x": "opaque-line",
    "pip install x |& tee >(cat": "opaque-line",
    "pip install 'x": "opaque-line",
}


@pytest.mark.parametrize("line", UNKNOWN)
def test_lines_nobody_can_know(line: str, land: Path, context: Context) -> None:
    """What cannot be known is said to be unknown, with the reason."""
    found = predict(line, context.inside(context.directory, A=os.fsencode(land / "a")))
    assert found and found[-1].outcome == "unknown" and found[-1].landing is None
    assert found[-1].reason == UNKNOWN[line] and found[-1].certainty == "unknown"


def test_functions_and_aliases(land: Path, context: Context) -> None:
    """A function in an installer's name is unknown; an alias is what it stands for; conda's function is conda."""
    home = land
    path = {"PATH": f"{BASE.parent}:{SYSTEM_PATH}"}
    own = caller(land, home, path, functions=("pip",))
    assert one("pip install x", own).reason == "unknown-program"
    assert one("command pip install x", own).outcome == "lands"
    alias = caller(land, home, path, aliases={"p": f"{land}/a/bin/python -m pip", "pip": "noglob pip --no-input"})
    assert place(one("p install x", alias)).startswith(f"{land}/a/")
    assert one("pip install x", alias, "zsh").outcome == "lands"
    assert one("pip install x", caller(land, home, path, aliases={"pip": "cd /x; pip"})).outcome == "unknown"
    assert predict("\\p install x", alias) == []


def test_the_words_of_a_prediction_and_its_place(land: Path, context: Context) -> None:
    """Predictions come with the words typed and the directory they run in, in order."""
    found = dispatch.predictions(b"(cd / && pip install x) && pip uninstall y", "bash", context)
    assert [(where.directory, prediction.argv[1]) for _, where, prediction in found] == [
        (b"/", b"install"), (context.directory, b"uninstall"),
    ]  # fmt: skip
    assert found[0][0] is not None and found[0][0].span == (9, 22)


def test_an_active_environment_without_pip(land: Path, context: Context) -> None:
    """``pip`` walks on along PATH; ``python -m pip`` stops."""
    variables = {"VIRTUAL_ENV": str(land / "u"), "PATH": f"{land / 'u/bin'}:{BASE.parent}:{SYSTEM_PATH}"}
    active = caller(land / "empty", land, variables)
    found = one("pip install x", active)
    assert found.reason == "active-without-pip" and str(land / "u") in found.because[0]
    stopped = one("python -m pip install x", active)
    assert (stopped.outcome, stopped.reason) == ("stops", "no-such-module")
    again = one(f"source {land / 'u'}/bin/activate && pip install x", context)
    assert again.reason == "active-without-pip"


def test_a_python_named_by_its_path_fell_through_nothing(land: Path, context: Context) -> None:
    """``DIR/bin/python -m pip`` with another environment on was meant: nothing says that the other one has no pip."""
    on = context.inside(context.directory, VIRTUAL_ENV=os.fsencode(land / "u"))
    path = os.fsencode(f"{land}/u/bin:") + context.variables["PATH"]
    found = one(f"{land}/a/bin/python -m pip install x", on.inside(context.directory, PATH=path))
    assert found.reason != "active-without-pip"
    assert place(found).startswith(f"{land}/a/")


def test_moved_and_copied_environments(land: Path, tmp_path: Path) -> None:
    """A copy's scripts start the original; a moved environment's start nothing, and its activate leads past it."""
    for name in ("copy", "moved"):
        subprocess.run(["cp", "-a", land / "a", tmp_path / name], check=True)
    context = caller(tmp_path, tmp_path, {"PATH": f"{BASE.parent}:{SYSTEM_PATH}"})
    found = one("copy/bin/pip install x", context)
    assert found.reason == "copied-environment" and place(found).startswith(f"{land}/a/")
    assert place(one("copy/bin/python -m pip install x", context)).startswith(f"{tmp_path}/copy/")
    pip = tmp_path / "moved/bin/pip"
    pip.write_text(pip.read_text().replace(str(land / "a"), str(tmp_path / "former")))
    script = tmp_path / "moved/bin/activate"
    script.write_text(script.read_text().replace(str(land / "a"), str(tmp_path / "former")))
    stopped = one("moved/bin/pip install x", context)
    assert (stopped.outcome, stopped.reason) == ("stops", "interpreter-missing")
    beside = one("source moved/bin/activate && pip install x", context)
    assert beside.reason == "moved-environment" and place(beside).startswith(str(BASE.parent.parent))


def test_a_stale_hash(land: Path) -> None:
    """What the shell remembers is run, whatever PATH would give."""
    path = f"{land / 'a/bin'}:{BASE.parent}:{SYSTEM_PATH}"
    remembered = caller(land, land, {"PATH": path}, hashed={"pip": str(BASE.parent / "pip")})
    found = one("pip install x", remembered)
    assert found.reason == "stale-hash" and place(found).startswith(str(BASE.parent.parent))
    assert place(one("hash -r; pip install x", remembered)).startswith(f"{land}/a/")


def test_environments_made_on_the_line(land: Path, tmp_path: Path) -> None:
    """What one command makes, the next one finds."""
    (tmp_path / "p").mkdir()
    context = caller(tmp_path / "p", tmp_path, {"PATH": f"{BASE.parent}:{Path(sys.executable).parent}:{SYSTEM_PATH}"})
    into = f"{tmp_path}/p/.venv/lib/python{minor()}/site-packages"
    python = f"python{minor()}"
    for line in (
        f"{python} -m venv .venv && source .venv/bin/activate && pip install x",
        f"{python} -m venv .venv && .venv/bin/pip install x",
        f"{python} -m venv .venv; .venv/bin/python -m pip install x",
        f"rm -rf .venv && {python} -m venv .venv && . .venv/bin/activate && python -m pip install x",
    ):
        made, found = predict(line, context)
        assert made.action == "create" and made.creates and found.outcome == "lands" and place(found) == into, line
    _, found = predict(f"{python} -m venv --without-pip .venv && . .venv/bin/activate && pip install x", context)
    assert found.reason == "active-without-pip"
    made, found = predict(f"mkdir -p deep/er && cd deep/er && {python} -m venv v && v/bin/pip install x", context)
    assert place(found) == f"{tmp_path}/p/deep/er/v/lib/python{minor()}/site-packages"
    fish = predict(f"{python} -m venv .venv; and source .venv/bin/activate.fish; and pip install x", context, "fish")
    assert place(fish[1]) == into


def test_environments_removed_on_the_line(land: Path, tmp_path: Path) -> None:
    """What one command removes, the next one misses."""
    subprocess.run([BASE, "-m", "venv", tmp_path / "v"], check=True, timeout=120)
    context = caller(tmp_path, tmp_path, {"PATH": f"{BASE.parent}:{SYSTEM_PATH}"})
    assert one("v/bin/pip install x", context).outcome == "lands"
    assert one("rm -r v; v/bin/pip install x", context).outcome == "stops"
    assert predict("rm -r $(x); v/bin/pip install x", context)[-1].outcome == "unknown"


def test_what_an_install_may_bring(land: Path) -> None:
    """A program that is missing may be what the command before it installs."""
    context = caller(land / "empty", land, {"PATH": f"{land / 'a/bin'}:/usr/bin:/bin"})
    found = predict("pip install pip-tools && pip-sync", context)
    assert found[0].outcome == "lands" and found[-1].outcome in ("unknown", "lands")


def test_a_module_of_the_same_name_in_the_directory(land: Path, tmp_path: Path) -> None:
    """``./pip`` is run in pip's place, unless the Python is told to leave the directory alone."""
    write(tmp_path / "pip/__init__.py")
    context = caller(tmp_path, tmp_path)
    python = land / "a/bin/python"
    assert one(f"{python} -m pip install x", context).outcome == "unknown"
    assert one(f"{python} -I -m pip install x", context).outcome == "lands"
    assert one(f"PYTHONSAFEPATH=1 {python} -m pip install x", context).outcome == "lands"


def test_the_name_a_python_is_told(land: Path, context: Context) -> None:
    """Under a name that is not on PATH a Python is its base; under one that is, it is what stands there."""
    base = f"{BASE.parent.parent}/lib/python{minor()}/site-packages"
    assert place(one(f"exec -a foo {land}/a/bin/python -m pip install x", context)) == base
    told = subprocess.run(
        ["bash", "-c", f"exec -a foo {land}/a/bin/python -c 'import sys; print(sys.prefix)'"],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=True, text=True, timeout=30,
    ).stdout.strip()  # fmt: skip
    assert base.startswith(told)


def test_sudo(land: Path) -> None:
    """Another user's shell has another PATH, and nobody can read its rules: only likely."""
    variables = {"VIRTUAL_ENV": str(land / "a"), "PATH": f"{land / 'a/bin'}:{SYSTEM_PATH}"}
    context = caller(land, land, variables)
    found = one(f"sudo {land}/a/bin/pip install x", context)
    assert place(found).startswith(f"{land}/a/") and found.certainty == "likely"
    assert all("/a/" not in place(other) for other in predict("sudo pip install x", context) if other.landing)


def test_what_may_not_run_is_only_likely(context: Context) -> None:
    """Behind ``||`` nobody knows whether a command runs."""
    assert one("test -d x || pip install x", context).certainty == "likely"


PYTHON_LINES: Mapping[str, tuple[object, ...] | None] = {
    "python -m pip install": (frozenset(), b"pip", None, 3),
    "python -Im pip x": (frozenset("I"), b"pip", None, 3),
    "python -mpip x": (frozenset(), b"pip", None, 2),
    "python -Wignore -X dev -sIm pip x": (frozenset("sI"), b"pip", None, 6),
    "python -W ignore s.py -m pip": (frozenset(), None, b"s.py", 4),
    "python --check-hash-based-pycs never -m pip": (frozenset(), b"pip", None, 5),
    "python -bb -OO s.py": (frozenset("bO"), None, b"s.py", 4),
    "python -c pass -m pip": None,
    "python - x": None,
    "python -V": None,
    "python --version": None,
    "python -m": None,
    "python": None,
    "python -Z -m pip": None,
}


@pytest.mark.parametrize("line", PYTHON_LINES)
def test_the_interpreters_own_words(line: str) -> None:
    """Options of the interpreter are read as it reads them, up to what it runs."""
    found = pythonline.parse(tuple(os.fsencode(word) for word in line.split()))
    expected = PYTHON_LINES[line]
    assert (None if found is None else (found.flags, found.module, found.script, found.start)) == expected


def test_a_program_starts_where_the_directory_really_is(land: Path, context: Context) -> None:
    """``../bin/python`` in a directory that a link leads to is beside what the link leads to."""
    link(land / "binlink", str(land / "a/bin"))
    into = f"{land}/a/lib/python{minor()}/site-packages"
    for line in (
        "cd ~/binlink && ./python -m pip install x",
        "cd ~/binlink && ../bin/python -m pip install x",
        "cd -P ~/binlink && ./python -m pip install x",
        "cd ~/binlink; PATH=.:$PATH pip install x",
    ):
        assert place(one(line, context)) == into, line
    assert place(one("cd ~/binlink && ./pip install -t ../here x", context)) == f"{land}/a/here"


def test_a_pip_found_by_asking_is_run_by_the_python_named(land: Path, context: Context) -> None:
    """``python "$(command -v pip)"`` installs for that Python; what nothing answers is unknown."""
    on = context.inside(context.directory, PATH=os.fsencode(f"{land}/a/bin:{SYSTEM_PATH}"))
    base = f"{BASE.parent.parent}/lib/python{minor()}/site-packages"
    assert place(one(f'{BASE} "$(command -v pip)" install x', on)) == base
    assert place(one('python "$(command -v pip)" install x', on)).startswith(f"{land}/a/")
    assert one('python "$(pip-finder pip)" install x', on).outcome == "unknown"


def test_what_a_test_decides_is_only_likely(land: Path, context: Context) -> None:
    """``[ -d x ] && cd x; pip …``: the directory is an assumption."""
    assert one("[ -d .. ] && cd ..; pip install x", context).certainty == "likely"
    assert one("cd ..; pip install x", context).certainty == "sure"


def test_what_is_in_a_new_environment_may_not_be_known(land: Path, tmp_path: Path) -> None:
    """What conda puts into an environment is not known, nor what runs from it; all else on the line still is."""
    root = conda_root(tmp_path / "conda")
    program = write(root / "bin/python3.12", b"\x7fELF")
    program.chmod(0o755)
    write(root / "bin/conda", f"#!{root}/bin/python3.12\n").chmod(0o755)
    path = f"{land / 'a/bin'}:{root}/bin:{SYSTEM_PATH}"
    context = caller(tmp_path, tmp_path, {"PATH": path, "CONDA_EXE": f"{root}/bin/conda"})
    made, beside = predict("conda create -n new python && pip install x", context)
    assert made.creates and made.landing is not None and not made.landing.exists
    assert place(beside).startswith(f"{land}/a/")
    _, found = predict("conda create -n new python && conda install -n new numpy", context)
    assert found.outcome == "lands" and found.fresh
    for line in ("conda activate new && pip install x", f"{root}/envs/new/bin/pip install x",
                 "conda run -n new pip install x", f"pip --python {root}/envs/new install x"):  # fmt: skip
        assert predict(f"conda create -n new python && {line}", context)[-1].outcome == "unknown", line


def test_pip_that_the_line_installs(land: Path) -> None:
    """Where an earlier command installs pip itself, the next ``pip`` is another one."""
    variables = {"VIRTUAL_ENV": str(land / "u"), "PATH": f"{land}/u/bin:{land}/a/bin:{SYSTEM_PATH}"}
    context = caller(land / "empty", land, variables)
    assert predict("pip install -t t x; pip install y", context)[-1].reason == "active-without-pip"
    assert predict("pip install -t t pip==24.0; pip install y", context)[-1].outcome == "unknown"


class Counting(Disk):
    """A disk that counts how often the real one is asked."""

    looks = 0

    def __getattribute__(self, name: str) -> object:
        if name in ("stat", "lstat", "realpath", "names", "read", "head", "readlink"):
            Counting.looks += 1
        return super().__getattribute__(name)


HOSTILE = {
    "many installers": b"pip install x;" * 100,
    "deep directories": b"mkdir -p " + b"a/" * 4000 + b";pip install x",
    "deep environment": b"python3 -m venv " + b"a/" * 4000 + b";pip install x",
    "deep target": b"pip install -t " + b"a/" * 4000 + b" x",
    "many directories": b"".join(b"mkdir -p a%d/b;cd /;" % at for at in range(90)) + b"pip install x",
    "a value that doubles": b"PATH=$PATH:$PATH;" * 100 + b"pip install x",
    "many operands": b"mkdir " + b"a/b/c " * 1000 + b";pip install x",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_the_work_for_a_line_is_bounded(what: str, land: Path) -> None:
    """Whatever a line repeats, the disk is asked a limited number of times, and what that leaves open is unknown."""
    context = caller(land / "empty", land, {"PATH": SYSTEM_PATH})
    disk = Counting(os.geteuid(), SystemClock())
    Counting.looks = 0
    found = predict_on(HOSTILE[what][:8192], replace(context, disk=disk, documents=Documents(disk)))
    assert Counting.looks < 6000
    assert any(one.outcome == "unknown" for one in found)
    assert len(found) <= dispatch.INSTALLS_LIMIT + 1


def predict_on(line: bytes, context: Context) -> list[Prediction]:
    """The predictions for octets."""
    return [prediction for _, _, prediction in dispatch.predictions(line, "zsh", context)]


@pytest.mark.parametrize("action", ["install", "sync", "create"])
def test_what_is_made_by_the_way_is_there_afterwards(action: InstallAction, tmp_path: Path) -> None:
    """``uv sync``, ``poetry add`` and their like make what the next command finds; uv gives it no pip."""
    prefix = os.fsencode(tmp_path / ".venv")
    purelib = prefix + b"/lib/python3.11/site-packages"
    new = Landing(prefix + b"/bin/python", prefix, "venv", purelib, "venv", "x", exists=False)
    for tool, has_pip in (("uv", False), ("poetry", True), ("pdm", False)):
        made = Prediction(
            tool, action, (tool.encode(), b"sync"), "lands", "creates-environment", landing=new, creates=True
        )
        after = after_creation(made, caller(tmp_path, tmp_path)).disk
        assert after.is_file(prefix + b"/pyvenv.cfg") and after.is_directory(purelib)
        assert after.is_file(prefix + b"/bin/pip") is has_pip
