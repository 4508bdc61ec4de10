"""The land every row starts in: real environments, Pythons, wheels and an index, made once, kept in ``tests/.cache``.

It is built inside a namespace at the paths it will have (``PLACES``), since environments cannot be moved; rows see it
through an overlay. What a row needs beyond it, its state's setup makes for real.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from conformance.landing import namespace
from support.condashape import conda_prefix
from support.pythons import pythons
from support.tools import tool

PLACES = ("/home/ada", "/home/bob", "/opt/conda", "/opt/machine", "/opt/tools", "/srv")
PORT = 8080
PATH = "/opt/tools:/usr/local/bin:/usr/bin:/bin"
BOB = 4242
"""The ordinary second user, who exists as a number only."""

_CACHE = Path(__file__).parents[2] / ".cache" / "landing"
_TOOLS = {
    "poetry": (), "pipenv": (), "pdm": ("pdm[locked]",), "hatch": (), "pipx": (), "flit": (), "virtualenv": (),
    "pip-sync": ("pip-tools",), "pip-compile": ("pip-tools",),
}  # fmt: skip
"""What to install for a program; newer dependencies than those PDM locked break its `add`."""

_NOT_COPIED = shutil.ignore_patterns(
    "test", "tests", "config-*", "idlelib", "turtledemo", "__pycache__", "*.a", "share"
)
_WHEELS = (("tiny", "1.0", ""), ("tiny", "2.0", ""), ("mini", "1.0", ""), ("needs-tiny", "1.0", "tiny"))
_MANIFEST = '[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.8"\n'
_SETUP = "from setuptools import setup\nsetup(name={name!r}, version='1.0', py_modules=[{module!r}])\n"


@cache
def names() -> Mapping[str, str]:
    """What the tables call the land's things (README.md)."""
    home = "/home/ada"
    found = {
        "HOME": home, "P": f"{home}/code/app", "Q": f"{home}/code/other", "E": f"{home}/code/new",
        "WHEELS": "/srv/wheels", "SOURCE": "/srv/source", "REQ": "/srv/requirements.txt",
        "INDEX": f"http://127.0.0.1:{PORT}/simple/", "PATH": PATH,
    }  # fmt: skip
    found |= {name.upper(): f"{home}/envs/{name}" for name in "absunw"}
    for python in pythons():
        prefix = python.executable.parent.parent
        if prefix.parent.name == "versions":
            found[f"G{''.join(python.version.split('.')[1:2])}"] = str(prefix)
            found["PYENV_ROOT"] = str(prefix.parent.parent)
    if "G12" in found:
        found |= {"C": f"{home}/envs/c", "M": "/opt/machine", "CONDA": "/opt/conda"}
    return found


def variables(home: str) -> dict[str, str]:
    """What every row's shell exports before its own variables: where wheels are, and that nothing else is."""
    return {
        "HOME": home, "PATH": PATH, "LANG": "C.UTF-8", "TERM": "dumb", "USER": "ada", "LOGNAME": "ada",
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/srv/wheels", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_RETRIES": "0",
        "PIP_ROOT_USER_ACTION": "ignore",
        "UV_OFFLINE": "1", "UV_FIND_LINKS": "/srv/wheels", "UV_NO_INDEX": "1", "UV_PYTHON_DOWNLOADS": "never",
        "UV_CACHE_DIR": "/var/cache/uv", "UV_LINK_MODE": "copy",
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1", "PIPENV_YES": "1", "PIPENV_NOSPIN": "1",
        "PIPENV_VENV_CREATOR": "venv", "POETRY_NO_INTERACTION": "1", "PDM_CHECK_UPDATE": "0", "FLIT_ROOT_INSTALL": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip


@cache
def layers() -> Mapping[str, Path]:
    """The land's directories by the place they are to be seen at; built first where they are not there yet."""
    programs = {name: tool(name, *packages) for name, packages in _TOOLS.items()}
    for name in ("uv", "uvx"):
        programs[name] = Path(sys.executable).with_name(name)
    made_with = hashlib.sha256(sys.executable.encode()).hexdigest()[:6]
    made_of = hashlib.sha256(f"{Path(__file__).read_text()}{pythons()}{programs}".encode()).hexdigest()[:12]
    land = _CACHE / f"{made_with}-{made_of}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with open(_CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not land.exists():
            made = _CACHE / f"{land.name}.making"
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(mode=0o755)
            _in_namespace(made, programs)
            made.rename(land)
        # Held by this process as long as it lives, so that a newer land does not take this one away.
        fcntl.flock(_use(land), fcntl.LOCK_SH)
        for former in _CACHE.glob(f"{made_with}-*"):
            if former.is_dir() and former != land:
                _forget(former)
    return {place: land / place.strip("/").replace("/", "-") for place in PLACES}


def _use(land: Path) -> int:
    return os.open(land.with_suffix(".use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _forget(land: Path) -> None:
    """Remove a land that nobody uses any more."""
    use = _use(land)
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(land, ignore_errors=True)
        land.with_suffix(".use").unlink()
    except BlockingIOError:
        return
    finally:
        os.close(use)


def _in_namespace(made: Path, programs: Mapping[str, Path]) -> None:
    scratch = tempfile.mkdtemp(prefix="alight-land-")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            namespace.isolate()
            inner = os.fork()
            if inner == 0:
                _build(made, Path(scratch), programs)
                os._exit(0)
            code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    os.rmdir(scratch)
    if status:
        raise RuntimeError("the land could not be built; what went wrong stands above")


def _build(made: Path, scratch: Path, programs: Mapping[str, Path]) -> None:
    try:
        disk = namespace.make_disk(scratch, {})
        for place in PLACES:
            source = made / place.strip("/").replace("/", "-")
            source.mkdir(mode=0o755)
            namespace.bind(source, Path(f"{disk.merged}{place}"))
        namespace.enter(disk)
        os.umask(0o022)
        for name, program in programs.items():
            os.symlink(program, f"/opt/tools/{name}")
        _wheels(Path("/srv"))
        _pythons()
        _environments()
        _projects()
        for empty in ("/home/ada/empty", "/home/bob/empty", "/home/ada/code", "/home/ada/envs"):
            os.makedirs(empty, exist_ok=True)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)


def _wheels(srv: Path) -> None:
    wheels, index = srv / "wheels", srv / "index" / "simple"
    wheels.mkdir()
    for name, version, needs in _WHEELS:
        wheel = make_wheel(wheels, name, version, needs)
        shelf = index / name
        shelf.mkdir(parents=True, exist_ok=True)
        os.symlink(wheel, shelf / wheel.name)
    for name in {name for name, _, _ in _WHEELS}:
        files = "".join(f'<a href="{file.name}">{file.name}</a><br>' for file in sorted((index / name).iterdir()))
        (index / name / "index.html").write_text(f"<!DOCTYPE html><html><body>{files}</body></html>")
    (srv / "requirements.txt").write_text("tiny\n")
    _source(srv / "source", "tiny")
    (srv / "source" / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "tiny"\nversion = "1.0"\ndescription = "tiny"\n'
    )
    _source(srv / "olden", "olden")
    for wheel in _seeds():
        shutil.copy(wheel, wheels)


def _seeds() -> list[Path]:
    """Wheels of setuptools and wheel, which building from source needs; pip's own copies of a test tool."""
    import virtualenv.seed.wheels.embed as embed

    return sorted(Path(embed.__file__).parent.glob("*.whl"))


def make_wheel(folder: Path, name: str, version: str, needs: str = "") -> Path:
    """A wheel of one module, with nothing to run."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    files = {
        f"{module}.py": f'"""{name}"""\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {name}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-run = {module}:__doc__.strip\n",
    }
    record = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0)), text)
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _source(folder: Path, name: str) -> None:
    folder.mkdir()
    (folder / "setup.py").write_text(_SETUP.format(name=name, module=name))
    (folder / f"{name}.py").write_text(f'"""{name}"""\n')


def _pythons() -> None:
    prefix = names().get("G12")
    if prefix is None:
        return
    for place in ("/opt/machine", "/opt/conda"):
        _copy_python(Path(prefix), Path(place))
    for child, python in (("/opt/conda/envs/kid", True), ("/opt/conda/envs/bare", False)):
        os.makedirs(child)
        if python:
            _copy_python(Path(prefix), Path(child))
        conda_prefix(Path(child), None, packages=(f"python-{_version(prefix)}-h1_0_cpython",) if python else ())
    conda_prefix(Path("/opt/conda"), None, packages=(f"python-{_version(prefix)}-h1_0_cpython", "conda-24.5.0-py312_0"))
    os.makedirs("/opt/conda/condabin", exist_ok=True)
    for name in ("conda", "mamba"):
        program = Path(f"/opt/conda/condabin/{name}")
        program.write_text("#!/opt/conda/bin/python\nraise SystemExit('a stand-in')\n")
        program.chmod(0o755)
        shutil.copy(program, f"/opt/conda/bin/{name}")


def _version(prefix: str) -> str:
    return next(python.version for python in pythons() if str(python.executable.parent.parent) == prefix)


def _copy_python(source: Path, target: Path) -> None:
    """The interpreter at another prefix, where it finds itself; scripts are told of the new place."""
    shutil.copytree(source, target, symlinks=True, ignore=_NOT_COPIED, dirs_exist_ok=True)
    old, new = f"#!{source}/bin/".encode(), f"#!{target}/bin/".encode()
    for script in (target / "bin").iterdir():
        if not script.is_symlink() and script.is_file():
            data = script.read_bytes()
            if data.startswith(old):
                script.write_bytes(new + data.removeprefix(old))


def _environments() -> None:
    home = Path("/home/ada/envs")
    home.mkdir(parents=True)
    debian, other = "/usr/bin/python3", names().get("G12")
    run(debian, "-I", "-m", "venv", home / "a")
    for name in ("b",):
        run(debian, "-I", "-m", "venv", home / name)
    run(debian, "-I", "-m", "venv", "--system-site-packages", home / "s")
    run(debian, "-I", "-m", "venv", "--without-pip", home / "n")
    run("/opt/tools/uv", "venv", "-q", "-p", debian, home / "u")
    run("/opt/tools/virtualenv", "-q", "-p", debian, "--seeder", "app-data", home / "w")
    if other:
        run(f"{other}/bin/python", "-I", "-m", "venv", home / "c")


def _projects() -> None:
    for name in ("app", "other", "new"):
        root = Path("/home/ada/code") / name
        (root / "sub").mkdir(parents=True)
        (root / "pyproject.toml").write_text(_MANIFEST.format(name=name))
        if name != "new":
            run("/usr/bin/python3", "-I", "-m", "venv", root / ".venv")


def run(*command: str | Path) -> None:
    """One command of the building; raises with what it said."""
    done = subprocess.run(
        [str(word) for word in command], env=variables("/home/ada"), cwd="/", stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
