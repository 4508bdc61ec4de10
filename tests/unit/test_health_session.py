"""What the shell's variables say about the environment around which it runs, one fact each."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alight.health.audit import audit
from alight.health.cuda import ships
from alight.health.packages import installed
from alight.health.session import dual
from alight.model import Alternative, Environment, Finding, Kind, Project, Resolution
from support.playfield import Playfield, write


def environment(prefix: bytes, kind: Kind = "venv", version: str = "3.11.7", *health: Finding) -> Environment:
    site = (prefix + b"/lib/python3.11/site-packages",)
    return Environment(prefix, kind, kind, "app", version, prefix + b"/bin/python", None, site, health)


def resolution(own: Environment | None, *others: Alternative, root: bytes = b"/p", rule: str = "rule") -> Resolution:
    return Resolution(root, Project(root, ()), own, None, "found", None, rule, "high", alternatives=others)


OWN = environment(b"/p/.venv")
CONDA = environment(b"/c/envs/app", "conda", "3.12.1")
BROKEN = environment(b"/c/envs/app", "conda", "3.12.1", Finding("interpreter-missing", "error", ""))


def codes(field: Playfield, variables: dict[str, bytes], own: Environment | None = OWN) -> list[tuple[str, str]]:
    _, place = audit(resolution(own), variables, field.disk())
    return [(finding.code, finding.severity) for finding in place]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, []),
        ({"VIRTUAL_ENV": b"/p/.venv"}, []),
        ({"VIRTUAL_ENV": b"/p/.venv/"}, []),
        ({"VIRTUAL_ENV": b"relative"}, []),
        ({"VIRTUAL_ENV": b"/q/.venv"}, [("other-active", "warning")]),
        ({"CONDA_PREFIX": b"/c/envs/x", "CONDA_SHLVL": b"1"}, [("other-active", "warning")]),
        ({"CONDA_PREFIX": b"/c/envs/x", "VIRTUAL_ENV": b"/p/.venv"}, [("inside-conda", "warning")]),
        ({"CONDA_PREFIX": b"/c", "CONDA_EXE": b"/c/bin/conda"}, [("conda-base-active", "info")]),
        ({"CONDA_PREFIX": b"/c", "CONDA_DEFAULT_ENV": b"base"}, [("conda-base-active", "info")]),
        ({"CONDA_PREFIX": b"/c", "_CONDA_ROOT": b"/c", "VIRTUAL_ENV": b"/p/.venv"}, [("conda-base-active", "info")]),
        ({"CONDA_PREFIX": b"/c", "_CONDA_ROOT": b"/c"}, [("conda-base-active", "info")]),
        ({"CONDA_SHLVL": b"0"}, []),
        ({"CONDA_SHLVL": b"1"}, [("conda-stack-broken", "warning")]),
        ({"CONDA_SHLVL": b"x"}, [("conda-stack-broken", "warning")]),
        ({"PYTHONHOME": b"/usr"}, [("python-variables", "warning")]),
        ({"PYTHONPATH": b"/p/src::src"}, []),
        ({"PYTHONPATH": b"/elsewhere"}, [("python-variables", "info")]),
        ({"PYTHONPATH": b"/elsewhere:/usr/lib/python3/dist-packages"}, [("python-variables", "warning")]),
        ({"LD_LIBRARY_PATH": b"/usr/local/cuda/lib64", "CUDA_HOME": b"/usr/local/cuda"}, []),
    ],
)  # fmt: skip
def test_the_shell(field: Playfield, variables: dict[str, bytes], expected: list[tuple[str, str]]) -> None:
    """Each state of a shell gives its findings and no others; a CUDA matters only where the environment has one."""
    assert codes(field, variables) == expected


def test_without_an_environment_nothing_is_other(field: Playfield) -> None:
    """Where no environment belongs, the active one is nobody's mistake."""
    assert codes(field, {"VIRTUAL_ENV": b"/q/.venv"}, None) == []


@pytest.mark.parametrize(
    ("missing", "broken"), [("CONDA_PREFIX", True), ("CONDA_PREFIX_1", True), ("CONDA_PREFIX_2", True), ("", False)]
)
def test_condas_stack(field: Playfield, missing: str, broken: bool) -> None:
    """A stack of three needs the active prefix and the two beneath."""
    variables = {
        "CONDA_SHLVL": b"3",
        "CONDA_PREFIX": CONDA.prefix,
        "CONDA_PREFIX_1": b"/c",
        "CONDA_PREFIX_2": b"/c/envs/x",
    }
    variables.pop(missing, None)
    assert ("conda-stack-broken" in dict(codes(field, variables, CONDA))) == broken


def test_a_link_to_the_environment_is_the_environment(field: Playfield) -> None:
    """What is active is compared by where it really is."""
    real = field.venv(field.home / "p" / ".venv")
    (field.home / "link").symlink_to(real)
    own = field.resolve(real.parent).environment
    assert codes(field, {"VIRTUAL_ENV": os.fsencode(field.home / "link")}, own) == []


@pytest.mark.parametrize(
    ("rule", "chosen", "other", "expected"),
    [
        ("venv-directory", OWN, Alternative("conda-file", CONDA), True),
        ("conda-file", CONDA, Alternative("venv-directory", OWN), True),
        ("venv-directory", OWN, Alternative("same-name", CONDA), False),
        ("conda-file", CONDA, Alternative("child-prefix", OWN), False),
        ("venv-directory", OWN, Alternative("local-prefix", environment(b"/p/venv")), False),
        ("inside-environment", OWN, Alternative("conda-file", CONDA), False),
        ("venv-directory", OWN, Alternative("conda-file", BROKEN), False),
        ("venv-directory", OWN, Alternative("pep582", environment(b"/p/__pypackages__", "pep582")), False),
    ],
)  # fmt: skip
def test_two_kinds_for_one_project(rule: str, chosen: Environment, other: Alternative, expected: bool) -> None:
    """A venv and a conda environment collide when both belong here and work; a guess does not count."""
    found = list(dual(resolution(chosen, other, rule=rule)))
    assert [finding.code for finding in found] == (["dual-environment"] if expected else [])
    assert all("3.11 and 3.12" in finding.message or "3.12 and 3.11" in finding.message for finding in found)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["numpy-1.0"], None),
        (["nvidia_ml_py-12.560.30"], None),
        (["nvidia_nccl_cu12-2.20.5"], "12"),
        (["nvidia_cublas-13.0.0.19"], ""),
        (["torch-2.1.0+cpu"], None),
        (["torch-2.1.0+cu121"], "12.1"),
        (["torchvision-0.16.0+cu92"], "9.2"),
        (["nvidia_nccl_cu12-2.20.5", "nvidia_cuda_runtime_cu12-12.1.105"], "12.1"),
    ],
)
def test_which_wheels_bring_cuda(tmp_path: Path, names: list[str], expected: str | None) -> None:
    """Wheels with CUDA in them are known by their names, and its version by the runtime's."""
    site = tmp_path / "lib/python3.11/site-packages"
    for name in names:
        (site / f"{name}.dist-info").mkdir(parents=True)
    found = ships(environment(os.fsencode(tmp_path)), installed((os.fsencode(site),)))
    assert (found[0] if found else None) == expected


@pytest.mark.parametrize("name", ["cuda-version-12.4-h3060b56_3", "cudatoolkit-12.4.0-h4bf", "cuda-cudart-12.4.127-0"])
def test_condas_cuda_and_old_toolkits(field: Playfield, name: str) -> None:
    """A CUDA of conda's counts as well; toolkits before 11 say their version in version.txt or their folder's name."""
    prefix = field.home / "envs" / "app"
    write(prefix / "conda-meta" / f"{name}.json", "{}")
    (prefix / "lib/python3.11/site-packages").mkdir(parents=True)
    own = environment(os.fsencode(prefix), "conda")
    old, named = field.home / "old", field.home / "cuda-11.8"
    write(old / "version.txt", "CUDA Version 10.2.89\n")
    named.mkdir()
    for home, version in ((old, "10.2"), (named, "11.8")):
        _, (finding,) = audit(resolution(own), {"CUDA_PATH": os.fsencode(home)}, field.disk())
        assert (finding.code, version in finding.message, "12.4" in finding.message) == ("cuda-home", True, True)
    write(old / "version.json", json.dumps({"cuda": {"version": "12.4.1"}}))
    shell = {"CUDA_PATH": os.fsencode(old), "LD_LIBRARY_PATH": os.fsencode(old / "lib64")}
    assert codes(field, shell, own) == [("cuda-shadowed", "info")]


@pytest.mark.parametrize("text", ["[" * 20_000, "1", '{"cuda": 1}', '{"cuda": {"version": []}}', "\0"])
def test_a_hostile_toolkit_says_nothing(field: Playfield, text: str) -> None:
    """A version.json that is none is as good as absent."""
    site = field.home / "e" / "lib/python3.11/site-packages"
    (site / "torch-2.0+cu118.dist-info").mkdir(parents=True)
    write(site / "torch-2.0+cu118.dist-info/RECORD")
    write(field.home / "sdk" / "version.json", text)
    assert (
        codes(field, {"CUDA_HOME": os.fsencode(field.home / "sdk")}, environment(os.fsencode(field.home / "e"))) == []
    )
