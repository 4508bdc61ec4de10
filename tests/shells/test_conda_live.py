"""conda environments in real shells with a real daemon, beside what rattler's script does in the same shells."""

from __future__ import annotations

import os
from pathlib import Path

from rattler.shell.shell import ActivationVariables, PathModificationBehavior, Shell, activate

from support.condashape import conda_prefix, conda_root, pixi_environment, pixi_manifest
from support.playfield import write
from support.shells import ShellSession
from support.world import PATH, World, quote

ODD = ("b", "a", "Z", "10", "9", "a b", "_x")
"""Names whose order depends on the locale, where it is not the order of octets."""

OWN = frozenset({
    b"CONDA_DEFAULT_ENV", b"CONDA_PROMPT_MODIFIER", b"CONDA_EXE", b"_CONDA_EXE", b"CONDA_PYTHON_EXE", b"_CONDA_ROOT",
    b"_CE_M", b"_CE_CONDA", b"_", b"SHLVL", b"PWD", b"OLDPWD",
})  # fmt: skip
"""conda exports these and rattler does not; and what differs between any two commands of a shell."""

RATTLER = {"bash": Shell.bash, "zsh": Shell.zsh, "fish": Shell.fish}


def noting(*names: str) -> dict[str, str]:
    """Files for every shell that note their names."""
    return {f"{name}.{end}": f'echo "{name}" >>"$RAN"\n' for name in names for end in ("sh", "fish")}


class Land:
    """A home with a conda installation, an environment ``web`` in it, and a project whose file names that."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = conda_root(world.home / "miniconda3", user=world.home)
        self.prefix = conda_prefix(
            self.root / "envs/web",
            activate=noting(*ODD),
            deactivate=noting("out1", "out2"),
            state={"OF_STATE": "a b"},
            env_vars={"one.json": {"OF_PACKAGE": "1"}},
            user=world.home,
        )
        self.project = world.directory("code/web")
        write(self.project / "environment.yml", "name: web\n")
        self.notes = world.home / "ran"
        self.variables = {"RAN": str(self.notes)}

    def ran(self) -> list[str]:
        """The files that ran since the last look, in order."""
        names = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return names

    def with_base(self) -> dict[str, str]:
        """The variables of a shell whose start-up file has switched base on."""
        return {
            **self.variables,
            "CONDA_PREFIX": str(self.root),
            "CONDA_DEFAULT_ENV": "base",
            "CONDA_SHLVL": "1",
            "CONDA_PROMPT_MODIFIER": "(base) ",
            "CONDA_EXE": str(self.root / "bin/conda"),
            "PATH": f"{self.root}/bin:{self.root}/condabin:{PATH}",
        }


def comparable(shell: ShellSession) -> dict[bytes, bytes]:
    return {name: value for name, value in shell.env().items() if name not in OWN and not name.startswith(b"ALIGHT_")}


def test_a_name_in_a_file_is_not_enough(world: World, kind: str) -> None:
    """A repository that only names an environment of the user's is asked about, once for this pair."""
    land = Land(world)
    shell = world.shell(kind, world.home, env=land.variables)
    seen = shell.cd(land.project)
    assert "alight allow" in seen
    assert b"CONDA_PREFIX" not in shell.env()
    shell.run("alight allow")
    assert shell.variable("CONDA_PREFIX") == os.fsencode(land.prefix)
    other = world.directory("code/other")
    write(other / "environment.yml", "name: web\n")
    shell.cd(other)
    assert shell.variable("ALIGHT_STATE") == b"untrusted"
    assert b"CONDA_PREFIX" not in shell.env()


def test_variables_path_and_files_are_rattlers(world: World, kind: str) -> None:
    """The same exported variables, the same PATH and the same order of files as rattler's script in the same shell."""
    land = Land(world)
    world.alight("allow", str(land.project))
    asked = ActivationVariables(None, PATH.split(":"), PathModificationBehavior.Replace)
    script = world.home / f"rattler.{kind}"
    script.write_text(activate(land.prefix, asked, RATTLER[kind]).script)
    oracle = world.shell(kind, world.home, env={**land.variables, "ALIGHT_DISABLE": "1"})
    oracle.run(f"source {quote(kind, os.fsencode(script))}")
    their, their_files = comparable(oracle), land.ran()
    oracle.close()

    ours = world.shell(kind, world.home, env=land.variables)
    before = comparable(ours)
    ours.cd(land.project)
    own = comparable(ours)
    condabin = os.fsencode(land.root / "condabin")
    assert condabin in own[b"PATH"].split(b":"), "conda adds it where PATH has none"
    own[b"PATH"] = b":".join(entry for entry in own[b"PATH"].split(b":") if entry != condabin)
    assert own == their
    assert land.ran() == their_files == sorted(ODD, key=lambda name: f"{name}.sh".encode())
    ours.cd(world.home)
    assert comparable(ours) == before
    assert land.ran() == ["out2", "out1"]


def test_base_beneath_is_put_back(world: World, kind: str) -> None:
    """R28: entered on top of base as conda stacks it, and left with every variable and PATH as before."""
    land = Land(world)
    world.alight("allow", str(land.project))
    write(land.root / "etc/conda/deactivate.d/b.sh", 'echo base-out >>"$RAN"\n')
    write(land.root / "etc/conda/deactivate.d/b.fish", 'echo base-out >>"$RAN"\n')
    write(land.root / "etc/conda/activate.d/b.sh", 'echo base-in >>"$RAN"\n')
    write(land.root / "etc/conda/activate.d/b.fish", 'echo base-in >>"$RAN"\n')
    shell = world.shell(kind, world.home, env=land.with_base())
    before = comparable(shell)
    shell.cd(land.project)
    inside = shell.env()
    assert (inside[b"CONDA_PREFIX"], inside[b"CONDA_SHLVL"]) == (os.fsencode(land.prefix), b"2")
    assert inside[b"CONDA_PREFIX_1"] == os.fsencode(land.root)
    assert inside[b"PATH"].startswith(os.fsencode(f"{land.prefix}/bin:{land.root}/condabin:"))
    assert (inside[b"CONDA_DEFAULT_ENV"], inside[b"CONDA_PROMPT_MODIFIER"]) == (b"web", b"(web) ")
    files = land.ran()
    assert (files[0], files[1:]) == ("base-out", sorted(ODD, key=lambda name: f"{name}.sh".encode()))
    shell.cd(world.home)
    after = shell.env()
    assert (after[b"CONDA_PREFIX"], after[b"CONDA_DEFAULT_ENV"]) == (os.fsencode(land.root), b"base")
    assert comparable(shell) == before
    assert land.ran() == ["out2", "out1", "base-in"]


def test_r10_between_kinds(world: World, kind: str) -> None:
    """R10: venv to conda to venv to pixi and out, each alone on the way."""
    land = Land(world)
    world.alight("allow", str(land.project))
    venv = world.trusted("code/plain")
    pixie = world.directory("code/pixie")
    pixi_manifest(pixie)
    pixi = pixi_environment(pixie)
    world.alight("allow", str(pixie))
    shell = world.shell(kind, world.home, env=land.variables)
    before = comparable(shell)
    for project, active in ((venv, venv / ".venv"), (land.project, land.prefix), (venv, venv / ".venv"), (pixie, pixi)):
        shell.cd(project)
        inside = shell.env()
        marks = {inside.get(name) for name in (b"VIRTUAL_ENV", b"CONDA_PREFIX")} - {None}
        assert marks == {os.fsencode(active)}
        assert inside[b"PATH"].split(b":")[0] == os.fsencode(active / "bin")
    assert inside[b"PIXI_ENVIRONMENT_NAME"] == b"default"
    assert inside[b"PIXI_PROJECT_ROOT"] == os.fsencode(pixie)
    shell.cd(world.home)
    assert comparable(shell) == before


def test_r25_a_shell_started_inside_is_whole(world: World, kind: str) -> None:
    """R25: a child shell, which has the variables and not the bookkeeping, is repaired and can be left."""
    land = Land(world)
    world.alight("allow", str(land.project))
    outer = world.shell(kind, land.project, env=land.variables)
    assert outer.variable("CONDA_PREFIX") == os.fsencode(land.prefix)
    inherited = {
        name.decode(): value.decode()
        for name, value in outer.env().items()
        if name.startswith((b"CONDA", b"_CONDA", b"_CE", b"OF_", b"PATH", b"RAN"))
    }
    land.ran()
    inner = world.shell(kind, land.project, env=inherited)
    inside = inner.env()
    assert (inside[b"CONDA_PREFIX"], inside[b"CONDA_SHLVL"]) == (os.fsencode(land.prefix), b"1")
    assert inside[b"PATH"].split(b":").count(os.fsencode(land.prefix / "bin")) == 1
    inner.cd(world.home)
    left = inner.env()
    assert b"CONDA_PREFIX" not in left
    assert os.fsencode(land.prefix / "bin") not in left[b"PATH"].split(b":")
    assert {b"OF_STATE", b"OF_PACKAGE"}.isdisjoint(left)


def test_conda_in_the_projects_venv_directory(world: World, kind: str) -> None:
    """A ``.venv`` that is a conda prefix is entered as conda's."""
    project = world.directory("code/mixed")
    prefix = conda_prefix(project / ".venv")
    world.alight("allow", str(project))
    shell = world.shell(kind, project)
    inside = shell.env()
    assert inside.get(b"CONDA_PREFIX") == os.fsencode(prefix)
    assert inside.get(b"CONDA_DEFAULT_ENV") == os.fsencode(prefix)
    assert b"VIRTUAL_ENV" not in inside
    assert shell.variable("ALIGHT_ENV_NAME") == b"mixed"
    Path(prefix / "conda-meta/history").unlink()
    (prefix / "conda-meta").rename(project / "gone")
    shell.prompt()
    shell.run("true")
    assert b"CONDA_PREFIX" not in shell.env()
