"""A home with a uv that only looks like one: enough for rules that never run it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from alight.files.documents import Documents
from alight.landing import program
from alight.landing.base import Context, Installer, Prediction
from alight.landing.uvpip import UvPip
from alight.landing.uvproject import UvProject
from alight.landing.uvtool import UvTool
from alight.model import Resolution
from support.playfield import Playfield, link, write

ELF = b"\x7fELF"
LATEST = "0.13.9"


def nobody(directory: bytes) -> Resolution:
    """No question about projects is asked by uv's rules."""
    raise AssertionError(directory)


class Land:
    """A home with a uv of some release, a base Python and environments of it."""

    def __init__(self, field: Playfield, release: str | None = LATEST) -> None:
        self.field, self.home = field, field.home
        self.uv = write(self.home / "uv" / "bin" / "uv", ELF)
        self.uv.chmod(0o755)
        link(self.uv.with_name("uvx"), "uv")
        if release is not None:
            (self.home / "uv" / "lib" / "python3.11" / "site-packages" / f"uv-{release}.dist-info").mkdir(parents=True)
        self.base()

    def base(self, version: str = "3.11.7", where: Path | None = None) -> Path:
        prefix = self.field.base(version, where)
        executable = prefix / "bin" / f"python{version.rpartition('.')[0]}"
        executable.write_bytes(ELF)
        return prefix

    def venv(self, name: str, version: str = "3.11.7", where: Path | None = None) -> Path:
        prefix = self.field.venv(where or self.home / name, version)
        link(prefix / "bin" / "python3", "python")
        self.base(version)
        return prefix

    def folder(self, name: str) -> Path:
        folder = self.home / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def context(self, directory: Path | None = None, **variables: str | Path) -> Context:
        disk = self.field.disk()
        known = {"HOME": str(self.home), "PATH": str(self.uv.parent), **{name: str(v) for name, v in variables.items()}}
        octets = {name: os.fsencode(value) for name, value in known.items()}
        home = os.fsencode(self.home)
        return Context(os.fsencode(directory or self.folder("empty")), octets, disk, Documents(disk), home, nobody)

    def predict(self, line: str, directory: Path | None = None, **variables: str | Path) -> Prediction | None:
        """What the first of uv's installers that has an answer says."""
        context = self.context(directory, **variables)
        words = tuple(os.fsencode(word) for word in shlex.split(line))
        installers: tuple[Installer, ...] = (UvPip(), UvProject(), UvTool())
        answers = (one.predict(words, program.find(words[0], context), context) for one in installers)
        return next((answer for answer in answers if answer is not None), None)

    def asked(self, line: str, directory: Path | None = None, **variables: str | Path) -> Prediction:
        """The same where there has to be one."""
        found = self.predict(line, directory, **variables)
        assert found is not None
        return found


def where(prediction: Prediction) -> str:
    """The prefix, or why there is none."""
    landing = prediction.landing
    return prediction.reason if landing is None else os.fsdecode(landing.prefix)
