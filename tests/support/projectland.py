"""A home with project tools that only look like them: enough for rules that never run them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from alight.landing import program
from alight.landing.base import Installer, Prediction, Run, Runner
from alight.model import Reason
from support.playfield import Playfield, write
from support.uvland import Land


class ProjectLand(Land):
    """A home whose ``tools`` has one program, run by a Python of its own environment."""

    def __init__(self, field: Playfield, tool: str) -> None:
        super().__init__(field)
        self.own = self.venv("own", "3.11.7")
        self.tools = self.folder("tools")
        write(self.tools / tool, f"#!{self.own}/bin/python\n").chmod(0o755)
        self.project = self.folder("code/app")

    def manifest(self, text: str, name: str = "pyproject.toml") -> Path:
        """A file in the project."""
        return write(self.project / name, text)

    def answer(self, installer: Installer, line: str, directory: Path | None = None, **variables: str | Path) -> (
        Prediction | None
    ):  # fmt: skip
        """What the installer says of the line, typed in the project unless said."""
        context = self.context(directory or self.project, **{"PATH": str(self.tools), **variables})
        words = tuple(os.fsencode(word) for word in shlex.split(line))
        return installer.predict(words, program.find(words[0], context), context)

    def said(
        self, installer: Installer, line: str, directory: Path | None = None, **variables: str | Path
    ) -> Prediction:
        """The same where there has to be an answer."""
        found = self.answer(installer, line, directory, **variables)
        assert found is not None
        return found

    def ran(
        self, runner: Runner, line: str, directory: Path | None = None, **variables: str | Path
    ) -> Run | Reason | None:
        """What the runner starts."""
        context = self.context(directory or self.project, **{"PATH": str(self.tools), **variables})
        words = tuple(os.fsencode(word) for word in shlex.split(line))
        return runner.run(words, program.find(words[0], context), context)


def activate(prefix: Path) -> Path:
    """The script that some tools know an environment by."""
    write(prefix / "bin" / "activate")
    return prefix
