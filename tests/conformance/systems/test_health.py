"""Lock files, hashes and packages as the real tools make and judge them, without a network.

Only Homebrew's and conda's layouts and the CUDA wheels are laid out by hand, from the rule book: none of them can be
had here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from alight.client import Client
from alight.files.disk import Disk
from alight.health.audit import audit
from alight.model import Finding, Resolution
from alight.resolver import resolve
from alight.wire.requests import AnswerReply, GetAnswer
from support.playfield import Clock, link, write
from support.pythons import pythons
from support.tools import clean_environment, tool
from support.world import World

PDM = ("pdm", "pdm[locked]")
"""With the versions of its dependencies that it was released with: it does not run with their newest."""

HEAD = '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.8"\n'


def wheel(folder: Path, name: str, version: str, *needs: str) -> Path:
    """A wheel of one module, with what it needs."""
    stem = f"{name.replace('-', '_')}-{version}"
    module = f"{name.replace('-', '_')}/__init__.py"
    files = {
        module: f'__version__ = "{version}"\n',
        f"{stem}.dist-info/METADATA": "\n".join(
            ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {n}" for n in needs)]
        ),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text)}"
        for path, text in files.items()
    ]
    record = f"{stem}.dist-info/RECORD"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in {**files, record: "\n".join([*rows, f"{record},,", ""])}.items():
            archive.writestr(zipfile.ZipInfo(inner), text)
    return path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions each of alpha-pkg, which needs beta and on Windows gamma, and of beta, gamma and delta."""
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        wheel(folder, "alpha-pkg", version, 'beta; python_version >= "3.6"', 'gamma; sys_platform == "win32"')
        for name in ("beta", "gamma", "delta"):
            wheel(folder, name, version)
    return folder


class Bench:
    """One project, the tools in it, and what alight finds."""

    def __init__(self, home: Path, root: Path, wheels: Path) -> None:
        self.home, self.root, self.wheels = home, root, wheels

    def run(self, *words: str | Path, code: int | None = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a tool in the project, without network."""
        environ = clean_environment(self.home, **more)
        done = subprocess.run(
            list(map(str, words)), cwd=self.root, env=environ, capture_output=True, text=True, timeout=50, check=False
        )
        assert code is None or done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def uv(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        options = ["--no-config", "--no-index", "--find-links", self.wheels, "-q"]
        return self.run(tool("uv"), *words, *options, code=code, UV_PYTHON=str(pythons()[-1].executable))

    def pip(self, *words: str) -> None:
        """Change the environment's packages behind the project's tool's back."""
        options = ["--no-config", "--no-index", "--find-links", self.wheels, "-q"]
        command = [
            tool("uv"),
            "pip",
            words[0],
            "-p",
            self.root / ".venv",
            *(options[:1] if words[0] != "install" else options),
        ]
        self.run(*command, *words[1:])

    def resolution(self) -> Resolution:
        return resolve(os.fsencode(self.root), {}, self.disk(), os.fsencode(self.home))

    def disk(self) -> Disk:
        return Disk(os.getuid(), Clock())

    def audit(self, variables: Mapping[str, bytes] | None = None) -> tuple[Finding, ...]:
        health, place = audit(self.resolution(), variables or {}, self.disk())
        return health + place

    def codes(self) -> set[str]:
        return {finding.code for finding in self.audit()}

    def said(self, code: str) -> str:
        return next(finding.message for finding in self.audit() if finding.code == code)


@pytest.fixture
def bench(tmp_path: Path, wheels: Path) -> Bench:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "app").mkdir()
    return Bench(tmp_path / "home", tmp_path / "home" / "app", wheels)


UV_MANIFEST = (
    HEAD
    + """\
dependencies = ["Alpha_Pkg>=1, !=1.5", "gamma ; sys_platform == 'linux'", "delta ; python_version < '3'"]
[project.optional-dependencies]
Some_Extra = ["delta >= 1.0.0"]
[dependency-groups]
dev = ["delta<3", {include-group = "More"}]
more = ["gamma~=2.0"]
"""
)


def test_uv_lock_and_installed(bench: Bench) -> None:
    """What uv synchronised is in order; a changed, a removed and an added package are told apart, and sync heals."""
    write(bench.root / "pyproject.toml", UV_MANIFEST)
    bench.uv("sync")
    assert bench.codes() == set()
    bench.pip("install", "beta==1.0")
    assert bench.codes() == {"lock-mismatch"}
    assert "beta 1.0 (locked 2.0)" in bench.said("lock-mismatch")
    bench.pip("uninstall", "beta", "gamma")
    assert bench.codes() == {"lock-missing"}
    assert "beta, gamma" in bench.said("lock-missing")
    wheel(bench.root, "stranger", "1.0")
    bench.pip("install", str(bench.root / "stranger-1.0-py3-none-any.whl"))
    assert bench.codes() == {"lock-missing", "lock-extra"}
    assert "stranger" in bench.said("lock-extra")
    bench.uv("sync")
    assert bench.codes() == set()


def test_uv_without_its_groups(bench: Bench) -> None:
    """A production environment misses nothing; once part of the development group is there, its rest is missing."""
    write(bench.root / "pyproject.toml", UV_MANIFEST.replace('"delta<3", ', '"delta<3", "beta", '))
    bench.uv("sync", "--no-dev")
    assert bench.codes() == set()
    bench.uv("sync")
    bench.uv("sync", "--extra", "some-extra")
    assert bench.codes() == set()


def test_a_uv_workspace_member(bench: Bench) -> None:
    """A member that was synchronised alone misses nothing of the others' when asked from its folder."""
    write(
        bench.root / "pyproject.toml",
        HEAD + 'dependencies = ["gamma"]\n[tool.uv.workspace]\nmembers = ["packages/*"]\n',
    )
    member = bench.root / "packages" / "one"
    write(member / "pyproject.toml", HEAD.replace("demo", "one") + 'dependencies = ["alpha-pkg"]\n')
    bench.uv("sync", "--package", "one")
    assert "gamma" in bench.said("lock-missing")
    found = resolve(os.fsencode(member), {}, bench.disk(), os.fsencode(bench.home))
    assert found.environment is not None
    assert audit(found, {}, bench.disk()) == ((), ())


# Edits as (what is replaced, what comes instead); uv itself says which of them make the lock file stale.
UV_EDITS = [
    ("", ""),
    ("!=1.5", "!=1.5.0"),
    ("Alpha_Pkg>=1, !=1.5", "alpha-pkg !=1.5,>= 1"),
    ("Alpha_Pkg>=1, !=1.5", "alpha-pkg>=2"),
    ("Alpha_Pkg>=1, !=1.5", "alpha-pkg (>=1,!=1.5)"),
    ('"gamma ;', '"beta", "gamma ;'),
    (", \"delta ; python_version < '3'\"", ""),
    ("Some_Extra", "some-extra"),
    ("Some_Extra", "other"),
    ("delta >= 1.0.0", "delta >= 1.0"),
    ('dev = ["delta<3", {', "dev = [{"),
    ("gamma~=2.0", "gamma~=1.0"),
    (">=3.8", ">=3.9"),
    ("[project.opt", "[tool.other]\nx = 1\n[project.opt"),
    ("[dependency-groups]\n", "[dependency-groups]\nempty = []\n"),
]


def test_uv_staleness_is_uvs(bench: Bench) -> None:
    """For each edit of the manifest, alight calls the lock file stale only where ``uv lock --check`` does.

    Two things uv notices are not told: a change of a marker alone, and a group without requirements.
    """
    write(bench.root / "pyproject.toml", UV_MANIFEST)
    bench.uv("sync")
    judged = {}
    for old, new in UV_EDITS:
        write(bench.root / "pyproject.toml", UV_MANIFEST.replace(old, new, 1))
        stale = bench.uv("lock", "--check", "--offline", code=None).returncode != 0
        judged[new] = ("lock-stale" in bench.codes(), stale)
    assert [new for new, (found, stale) in judged.items() if found and not stale] == []
    assert [new for new, (found, stale) in judged.items() if stale and not found] == [UV_EDITS[-1][1]]
    assert sum(found for found, _ in judged.values()) >= 6


POETRY_MANIFESTS = {
    "project": HEAD
    + """\
dependencies = [
    "beta @ {url}/beta-1.0-py3-none-any.whl",
    "gamma @ {url}/gamma-1.0-py3-none-any.whl ; sys_platform == 'win32'",
]
[tool.poetry]
package-mode = false
[tool.poetry.group.dev.dependencies]
delta = {{ path = "{path}/delta-1.0-py3-none-any.whl" }}
""",
    "legacy": """\
[tool.poetry]
name = "demo"
version = "0"
description = "caf\u00e9"
authors = []
package-mode = false
[tool.poetry.dependencies]
python = "^3.8"
beta = {{ path = "{path}/beta-1.0-py3-none-any.whl" }}
[tool.poetry.group.dev.dependencies]
delta = {{ path = "{path}/delta-1.0-py3-none-any.whl" }}
""",
    "groups": HEAD
    + """\
dependencies = ["beta @ {url}/beta-1.0-py3-none-any.whl"]
[dependency-groups]
dev = ["delta @ {url}/delta-1.0-py3-none-any.whl"]
[tool.poetry]
package-mode = false
""",
}


POETRY_ITSELF = """
import json, pathlib, sys
from poetry.factory import Factory
fresh = []
for text in sys.argv[1:]:
    pathlib.Path("pyproject.toml").write_text(text, "utf-8")
    fresh.append(Factory().create_poetry(pathlib.Path.cwd()).locker.is_fresh())
print(json.dumps(fresh))
"""
"""What ``poetry check --lock`` does, for several manifests in one process."""


class Poetry:
    """Poetry in a project whose environment is ``.venv``."""

    def __init__(self, bench: Bench, kind: str) -> None:
        self._bench = bench
        self.text = POETRY_MANIFESTS[kind].format(url=bench.wheels.as_uri(), path=bench.wheels)
        write(bench.root / "pyproject.toml", self.text)

    def run(self, *words: str, code: int | None = 0, **more: str) -> str:
        settings = {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_CACHE_DIR": str(self._bench.home / "cache")}
        done = self._bench.run(tool("poetry"), *words, "-n", code=code, **settings, **more)
        return done.stdout + done.stderr


def test_poetry_lock_and_installed(bench: Bench) -> None:
    """What Poetry installed is in order; a changed and a removed package are found, but for another platform's."""
    poetry = Poetry(bench, "project")
    poetry.run("install")
    assert bench.codes() == set()
    bench.pip("install", "beta==2.0")
    bench.pip("uninstall", "delta")
    assert bench.codes() == {"lock-mismatch"}
    assert "`poetry install`" in bench.said("lock-mismatch")
    bench.pip("uninstall", "beta")
    assert bench.codes() == {"lock-missing"}


@pytest.mark.parametrize("kind", POETRY_MANIFESTS)
def test_poetry_staleness_is_poetrys(bench: Bench, kind: str) -> None:
    """For each edit of the manifest, the lock file is stale exactly where Poetry's own check finds it so."""
    poetry = Poetry(bench, kind)
    here = {"POETRY_VIRTUALENVS_CREATE": "false"}
    poetry.run("lock", **here)
    bench.run(tool("uv"), "venv", "-q", "--no-config", "--offline", "-p", pythons()[-1].executable, ".venv")
    edits = (("", ""), ("3.8", "3.9"), ("[tool.poetry]", "[tool.poetry]\nlicense = 'MIT'"), ("delta-1.0", "delta-2.0"))
    texts = [poetry.text.replace(old, new, 1) for old, new in edits]
    program = tool("poetry").with_name("python")
    said = json.loads(bench.run(program, "-c", POETRY_ITSELF, *texts).stdout)
    found = []
    for text in texts:
        write(bench.root / "pyproject.toml", text)
        found.append("lock-stale" not in bench.codes())
    assert found == said == [True, False, True, False]


PDM_MANIFEST = (
    HEAD
    + """\
dependencies = ["alpha-pkg>=1", "gamma ; sys_platform == 'win32'"]
[project.optional-dependencies]
x = ["gamma"]
[dependency-groups]
dev = ["delta<3"]
[tool.pdm]
distribution = false
[[tool.pdm.source]]
name = "pypi"
url = "{url}"
type = "find_links"
verify_ssl = false
"""
)


def test_pdm(bench: Bench) -> None:
    """Installed against the lock file, and the lock file against the manifest, as PDM itself says."""
    pdm = tool(*PDM)
    text = PDM_MANIFEST.format(url=bench.wheels.as_uri())
    settings = {"PDM_CHECK_UPDATE": "false", "PDM_IGNORE_SAVED_PYTHON": "1"}
    write(bench.root / "pyproject.toml", text)
    bench.run(pdm, "venv", "create", "-q", str(pythons()[-1].executable), **settings)
    bench.run(pdm, "lock", "-q", **settings)
    bench.run(pdm, "sync", "-q", **settings)
    assert bench.codes() == set()
    bench.pip("install", "beta==1.0")
    bench.pip("install", str(wheel(bench.root, "stranger", "1.0")))
    assert bench.codes() == {"lock-mismatch", "lock-extra"}
    bench.pip("uninstall", "beta", "stranger")
    assert bench.codes() == {"lock-missing"}
    for old, new in (
        ("", ""),
        ("alpha-pkg>=1", "alpha-pkg>= 1"),
        ("delta<3", "delta<4"),
        ("distribution = false", "distribution = false\nx = 1"),
        ("[project.opt", "[tool.pdm.dev-dependencies]\nmore = ['gamma']\n[project.opt"),
    ):
        write(bench.root / "pyproject.toml", text.replace(old, new, 1))
        stale = bench.run(pdm, "lock", "--check", code=None, **settings).returncode != 0
        assert (new, "lock-stale" in bench.codes()) == (new, stale)


PIPFILE = """\
[packages]
Alpha_Pkg = {{ file = "{url}/alpha_pkg-1.0-py3-none-any.whl" }}
beta = {{ file = "{url}/beta-1.0-py3-none-any.whl" }}
[dev-packages]
[[source]]
name = "local"
url = "{url}"
verify_ssl = false
"""
PIPFILE_EDITS = (
    ("", ""),
    ("Alpha_Pkg", "alpha-pkg"),
    ("beta-1.0", "beta-2.0"),
    ("[packages]", "[more]\nSome_Thing = '*'\n[packages]"),
)


def test_pipenv(bench: Bench) -> None:
    """Pipfile.lock is stale exactly where ``pipenv verify`` says so; then what is installed against it.

    pipenv needs an index to lock versions, so those are written by hand around its own hash.
    """
    pipenv = tool("pipenv")
    settings = {
        "PIPENV_VENV_IN_PROJECT": "1",
        "PIPENV_IGNORE_VIRTUALENVS": "1",
        "PIPENV_PYTHON": str(pythons()[-1].executable),
    }
    text = PIPFILE.format(url=bench.wheels.as_uri())
    write(bench.root / "Pipfile", text)
    bench.run(pipenv, "lock", "-q", **settings)
    found, said = {}, {}
    for old, new in PIPFILE_EDITS:
        write(bench.root / "Pipfile", text.replace(old, new, 1))
        found[new] = "lock-stale" in bench.codes()
        said[new] = bench.run(pipenv, "verify", code=None, **settings).returncode != 0
    assert found == said
    assert list(found.values()) == [False, False, True, True]

    write(bench.root / "Pipfile", text)
    document = json.loads((bench.root / "Pipfile.lock").read_text())
    windows = {"version": "==1.0", "markers": "sys_platform == 'win32'"}
    document["default"] = {"alpha-pkg": {"version": "==1.0"}, "beta": {"version": "==1.0"}, "gamma": windows}
    document["develop"] = {"delta": {"version": "==1.0"}}
    write(bench.root / "Pipfile.lock", json.dumps(document))
    bench.pip("install", "alpha-pkg==1.0", "beta==1.0")
    assert bench.codes() == set()
    bench.pip("install", "beta==2.0")
    assert bench.codes() == {"lock-mismatch"}
    bench.pip("uninstall", "beta")
    assert bench.codes() == {"lock-missing"}


def test_pylock(bench: Bench) -> None:
    """An export of uv in the standard format is read: wrong and missing packages, with its markers."""
    write(bench.root / "pyproject.toml", UV_MANIFEST)
    bench.uv("sync")
    bench.uv("export", "--format", "pylock.toml", "-o", "pylock.toml")
    (bench.root / "uv.lock").unlink()
    assert bench.codes() == set()
    bench.pip("install", "beta==1.0")
    bench.pip("uninstall", "gamma")
    assert bench.codes() == {"lock-mismatch", "lock-missing"}


@pytest.fixture
def plain(bench: Bench) -> Bench:
    """A project with a stdlib venv and the real pip in it, beta 1.0 installed by that."""
    write(bench.root / "requirements.txt", "beta==1.0\n")
    bench.run(pythons()[-1].executable, "-m", "venv", ".venv")
    bench.run(".venv/bin/python", "-m", "pip", "install", "-q", "--no-index", "-f", bench.wheels, "beta==1.0")
    return bench


def test_duplicates_and_leftovers_of_a_real_pip(plain: Bench) -> None:
    """``pip install --target`` into site-packages leaves two versions; a stash and a lost RECORD are named."""
    assert plain.audit() == ()
    (site,) = (plain.root / ".venv" / "lib").glob("python*/site-packages")
    install = (".venv/bin/python", "-m", "pip", "install", "-q", "--no-index", "-f", plain.wheels, "--no-deps")
    plain.run(*install, "--target", site, "beta==2.0")
    (finding,) = plain.audit()
    assert (finding.code, finding.severity) == ("duplicate-metadata", "warning")
    assert "1.0 and 2.0" in finding.message
    assert {os.path.basename(path) for path in finding.evidence} == {b"beta-1.0.dist-info", b"beta-2.0.dist-info"}
    shutil.rmtree(site / "beta-1.0.dist-info")
    (site / "beta-2.0.dist-info" / "RECORD").unlink()
    (site / "~eta-1.0.dist-info").mkdir()
    assert {finding.message.split(";")[0] for finding in plain.audit()} == {
        "installed half-way: beta", "left over from an interrupted pip",
    }  # fmt: skip


def test_a_moved_environment(bench: Bench) -> None:
    """Its health says where it was made; the audit adds nothing to that."""
    bench.run(pythons()[-1].executable, "-m", "venv", "--without-pip", ".venv")
    bench.root = bench.root.rename(bench.root.with_name("moved"))
    environment = bench.resolution().environment
    assert environment is not None
    assert [finding.code for finding in environment.health] == ["moved"]
    assert bench.audit() == ()


def test_homebrews_cellar(bench: Bench) -> None:
    """An environment whose links name one version in the Cellar is warned about, one that goes through opt is not."""
    brew = bench.home / "brew"
    cellar = brew / "Cellar" / "python@3.11" / "3.11.7"
    write(cellar / "bin" / "python3.11", "#!/bin/false\n").chmod(0o755)
    (cellar / "lib" / "python3.11").mkdir(parents=True)
    link(brew / "opt" / "python@3.11", "../Cellar/python@3.11/3.11.7")
    for name, base in (("app", cellar), ("stable", brew / "opt" / "python@3.11")):
        prefix = bench.home / name / ".venv"
        write(prefix / "pyvenv.cfg", f"home = {base}/bin\nversion = 3.11.7\n")
        link(prefix / "bin" / "python", f"{base}/bin/python3.11")
        (prefix / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    environment = bench.resolution().environment
    assert environment is not None
    (finding,) = environment.health
    assert (finding.code, finding.severity) == ("homebrew-cellar", "warning")
    assert f"{brew}/opt/python@3.11/bin/python3.11 -m venv" in finding.message
    stable = resolve(os.fsencode(bench.home / "stable"), {}, bench.disk(), os.fsencode(bench.home)).environment
    assert stable is not None
    assert stable.health == ()


@pytest.mark.parametrize(
    ("packages", "version"),
    [
        (["nvidia_cuda_runtime_cu12-12.4.127", "nvidia_cublas_cu12-12.4.5.8", "torch-2.4.0"], "12.4"),
        (["torch-2.1.0+cu118"], "11.8"),
        (["nvidia_cudnn_cu11-8.9.4.25"], "11"),
        (["nvidia_cuda_runtime-13.0.48"], "13.0"),
    ],
)
def test_cuda_wheels_under_a_system_cuda(bench: Bench, packages: list[str], version: str) -> None:
    """LD_LIBRARY_PATH and CUDA_HOME of another CUDA are named with what they lead to; those of the same are not."""
    write(bench.root / "pyproject.toml", HEAD)
    prefix = bench.root / ".venv"
    bench.run(tool("uv"), "venv", "-q", "--no-config", "--offline", "-p", pythons()[-1].executable, prefix)
    (site,) = (prefix / "lib").glob("python*/site-packages")
    for package in packages:
        write(site / f"{package}.dist-info" / "RECORD")
    system = bench.home / "cuda-sdk"
    write(system / "version.json", json.dumps({"cuda": {"name": "CUDA SDK", "version": "10.2.89"}}))
    shell = {"LD_LIBRARY_PATH": b"/usr/lib:/usr/local/cuda-10.2/lib64", "CUDA_HOME": os.fsencode(system)}
    found = {finding.code: finding for finding in bench.audit(shell)}
    assert set(found) == {"cuda-shadowed", "cuda-home"}
    assert "__nvJitLinkComplete_12_4" in found["cuda-shadowed"].message
    assert f"CUDA {version}" in found["cuda-shadowed"].message
    assert "10.2" in found["cuda-home"].message
    write(
        system / "version.json",
        json.dumps({"cuda": {"version": f"{version}.99" if "." in version else f"{version}.1"}}),
    )
    assert bench.audit({"CUDA_HOME": os.fsencode(system), "LD_LIBRARY_PATH": b"/usr/lib"}) == ()
    inside = {"LD_LIBRARY_PATH": os.fsencode(prefix / "cuda" / "lib64"), "CUDA_HOME": os.fsencode(prefix / "cuda")}
    assert bench.audit(inside) == ()


def test_doctor_through_the_daemon(bench: Bench, home: Path) -> None:
    """``doctor``, ``env --json`` and ``why --json`` say the same of a real project; a healthy one ends with 0."""
    world = World(home)
    try:
        bench.root = world.directory("app")
        write(bench.root / "pyproject.toml", UV_MANIFEST)
        bench.uv("sync")
        assert "nothing is wrong" in world.alight("doctor", str(bench.root))
        bench.pip("install", "beta==1.0")
        said = json.loads(world.alight("doctor", "--json", str(bench.root), code=1))
        assert set(said) == {"directory", "findings", "daemon", "answer"}
        assert "lock-mismatch" in {finding["code"] for finding in said["findings"]}
        assert said["daemon"]["pid"] > 0
        for verb in ("env", "why"):
            answer = json.loads(world.alight(verb, "--json", str(bench.root)))
            answer.pop("trail", None)
            assert answer == said["answer"]
        _, quick = Client(world.daemon.places(), 5).request(
            GetAnswer(os.fsencode(bench.root), (f"HOME={home}".encode(),))
        )
        assert isinstance(quick, AnswerReply)
        assert quick.answer.resolution.findings == ()
    finally:
        world.close()
