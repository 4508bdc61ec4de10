"""A home with a conda installation, and plans for shells in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from alight.activation.ownership import Surroundings
from alight.activation.plan import Published, make_plan
from alight.activation.session import Session
from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.model import Answer, Condition, Environment, Owner, Project, Resolution, State
from alight.wire.messages import Plan
from support.condashape import conda_root


class CondaField:
    """A home with a conda installation, and shells in it."""

    """``root`` is the installation, ``env`` where its environment ``x`` would be."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = tmp_path / "home"
        self.home.mkdir()
        self.root = conda_root(self.home / "miniconda3")
        self.env = self.root / "envs" / "x"

    def ask(
        self,
        prefix: Path | None,
        variables: Mapping[str, str] | None = None,
        *,
        shell: str = "zsh",
        system: str = "conda",
        state: State = "trusted",
        applied: Path | None = None,
        owner: Owner = "",
        first: bool = False,
        project: Path | None = None,
        elsewhere: bool = False,
        wrapper: bool = False,
    ) -> Plan:
        """The plan for a shell with these variables where ``prefix`` belongs."""
        given = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), **(variables or {})}
        root = os.fsencode(project or self.home / "p")
        own = None
        if prefix is not None:
            path = os.fsencode(prefix)
            kind = "conda" if (prefix / "conda-meta").exists() else "venv"
            own = Environment(path, kind, system, "x", "3.12.4", path + b"/bin/python", None, ())  # type: ignore[arg-type]
        known = state if own is not None else "none"
        condition: Condition = "found" if own is not None else "none"
        resolution = Resolution(root, Project(root, ()), own, None, condition, None, "r", "high")
        session = Session(
            shell,
            root,
            "on",
            owner,
            os.fsencode(applied) if applied is not None else b"",
            b"",
            first,
            {name: os.fsencode(value) for name, value in given.items()},
        )
        active = None
        if session.active:
            active = Environment(session.active, "conda", "", "active", "", b"/bin/python", None, ())
        surroundings = Surroundings(
            same=lambda one, other: one == other,
            alive=lambda path: os.path.exists(path + b"/conda-meta") or os.path.exists(path + b"/pyvenv.cfg"),
            elsewhere=lambda _prefix: elsewhere,
        )
        answer = Answer(resolution, known, stamp=b"/t/alight/trust/x.json" if known == "trusted" else b"")
        disk = Disk(os.getuid(), SystemClock())
        return make_plan(
            session, answer, surroundings, active, disk, Published(b"/g", "m"), segment=True, wrapper=wrapper
        )

    def base_on(self, **more: str) -> dict[str, str]:
        """The variables of a shell whose start-up file activates base."""
        return {
            "PATH": f"{self.root}/bin:{self.root}/condabin:/usr/bin",
            "CONDA_PREFIX": str(self.root),
            "CONDA_DEFAULT_ENV": "base",
            "CONDA_SHLVL": "1",
            "CONDA_EXE": f"{self.root}/bin/conda",
            "_CONDA_ROOT": str(self.root),
            **more,
        }

    def env_on(self, env: Path, **more: str) -> dict[str, str]:
        """The same with an environment on top of base."""
        return {
            **self.base_on(),
            "PATH": f"{env}/bin:{self.root}/condabin:/usr/bin",
            "CONDA_PREFIX": str(env),
            "CONDA_PREFIX_1": str(self.root),
            "CONDA_DEFAULT_ENV": env.name,
            "CONDA_SHLVL": "2",
            **more,
        }


def written(plan: Plan) -> list[str]:
    """The operations as text."""
    return [os.fsdecode(operation) for operation in plan.operations]


def named(plan: Plan, verb: str) -> list[str]:
    """The arguments of one verb."""
    return [operation.partition(" ")[2] for operation in written(plan) if operation.startswith(f"{verb} ")]


def files(plan: Plan, verb: str) -> list[str]:
    """The names of the files of one verb."""
    return [Path(file).name for file in named(plan, verb)]


def sets(plan: Plan) -> dict[str, str]:
    """What is set, by name."""
    return dict(argument.split("=", 1) for argument in named(plan, "set"))
