"""Verdict, reason, sentence and replacement, from a prediction and what the project expects."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.commandline.simple import Simple
from alight.commandline.words import literal
from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.landing import judge, replacement
from alight.landing.base import Context, Prediction
from alight.model import (
    Alternative,
    Answer,
    Environment,
    Install,
    Landing,
    LandingKind,
    Project,
    Reason,
    Resolution,
    Scheme,
    State,
    WouldCreate,
)
from alight.resolver import resolve
from support.condashape import conda_prefix, conda_root
from support.playfield import write

PIP = (b"pip", b"install", b"tiny")


class Field:
    """A home with a project, its environment, another one, and the caller in the project."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.project = home / "app"
        self.own = self.venv("app/.venv")
        self.other = self.venv("other/.venv")
        self.state: State = "trusted"
        self.system: str | None = None
        self.found = True
        self.would_create: WouldCreate | None = None
        self.alternatives: tuple[Alternative, ...] = ()
        self.kind = "venv"
        self.variables: dict[str, bytes] = {"PATH": b"/usr/bin", "HOME": os.fsencode(home)}

    def venv(self, name: str) -> Path:
        prefix = self.home / name
        write(prefix / "pyvenv.cfg", "home = /usr/bin\n")
        (prefix / "bin").mkdir()
        return prefix

    @property
    def context(self) -> Context:
        disk = Disk(os.getuid(), SystemClock())
        return Context(
            os.fsencode(self.project), self.variables, disk, Documents(disk), os.fsencode(self.home), self.resolve
        )

    def resolve(self, directory: bytes) -> Resolution:
        root = os.fsencode(self.project)
        environment = Environment(
            os.fsencode(self.own),
            self.kind,
            "venv",
            "app",
            "3.12.1",
            b"",
            None,
            (),  # type: ignore[arg-type]
        )
        missing = self.would_create is not None
        return Resolution(
            directory=directory,
            project=Project(root, ("pyproject.toml",), self.system),
            environment=environment if self.found and not missing else None,
            interpreter=None,
            condition="missing" if missing else "found" if self.found else "none",
            would_create=self.would_create,
            rule="dot-venv",
            confidence="high",
            alternatives=self.alternatives,
        )

    def answer(self, directory: bytes, variables: Mapping[str, bytes]) -> Answer:
        if directory in (os.fsencode(self.home / "other"), os.fsencode(self.home / "pool")):
            disk = self.context.disk
            return Answer(resolve(directory, variables, disk, os.fsencode(self.home)), self.state)
        return Answer(self.resolve(directory), self.state)

    def judge(self, prediction: Prediction, simple: Simple | None = None) -> Install:
        return judge.judge(simple, self.context, prediction, self.answer)


def landing(prefix: Path | str, kind: LandingKind = "venv", scheme: Scheme = "venv", **more: object) -> Landing:
    """A landing in a prefix."""
    octets = os.fsencode(prefix)
    purelib = octets + b"/lib/python3.12/site-packages"
    return Landing(octets + b"/bin/python", octets, scheme, purelib, kind, "Debian Python 3.11", **more)  # type: ignore[arg-type]


def prediction(place: Landing | None, reason: Reason = "active-environment", **more: object) -> Prediction:
    """What ``pip install tiny`` would do."""
    outcome = more.pop("outcome", "lands" if place is not None else "stops")
    known = {"requirements": (b"tiny",), "because": ("pip: first line",), **more}
    return Prediction("pip", "install", PIP, outcome, reason, place, **known)  # type: ignore[arg-type]


def typed(line: bytes) -> Simple:
    """The words of a line of plain words."""
    words, at = [], 0
    for text in line.split(b" "):
        words.append(literal(text, (at, at + len(text))))
        at += len(text) + 1
    return Simple(tuple(words))


@pytest.fixture
def field(home: Path, monkeypatch: pytest.MonkeyPatch) -> Field:
    """A field whose replacements all land in the project's environment."""
    field = Field(home)

    def lands(line: bytes, _shell: str, context: Context) -> tuple[tuple[None, Context, Prediction], ...]:
        return ((None, context, prediction(landing(field.own))),)

    monkeypatch.setattr(replacement.dispatch, "predictions", lands)
    return field


@pytest.mark.parametrize(
    ("outcome", "reason", "verdict"),
    [
        ("nothing", "no-landing", "none"),
        ("stops", "externally-managed", "refused"),
        ("unknown", "unknown-word", "unknown"),
    ],
)
def test_what_does_not_land_has_no_landing(field: Field, outcome: str, reason: Reason, verdict: str) -> None:
    """Downloads, refusals and riddles come before every comparison, and name no landing."""
    found = field.judge(prediction(landing("/usr", "base", "base"), reason, outcome=outcome))
    assert (found.verdict, found.landing, found.reason) == (verdict, None, reason)


def test_what_is_refused_is_offered_the_right_place(field: Field) -> None:
    """Where the tool will refuse and the project has a trusted environment, the words for it are offered."""
    found = field.judge(prediction(None, "externally-managed"), typed(b"pip install tiny"))
    assert found.instead == (os.fsencode(field.own) + b"/bin/python", b"-m", b"pip", b"install", b"tiny")
    field.state = "untrusted"
    assert field.judge(prediction(None, "externally-managed"), typed(b"pip install tiny")).instead is None


@pytest.mark.parametrize("kind", ["base", "user"])
def test_a_base_python_is_global_before_it_is_wrong(field: Field, kind: LandingKind) -> None:
    """A base Python and the user site are global, with or without a project."""
    found = field.judge(prediction(landing("/usr", kind, "base"), "system-python"))
    assert (found.verdict, found.reason) == ("global", "system-python")
    field.found = False
    found = field.judge(prediction(landing("/usr", kind, "base"), "system-python"))
    assert (found.verdict, found.expected, found.instead) == ("global", None, None)


def test_the_projects_own_is_ok_by_any_spelling(field: Field) -> None:
    """Prefixes are compared as directories: a link to the environment is the environment."""
    link = field.home / "link"
    link.symlink_to(field.own)
    for prefix in (field.own, link):
        found = field.judge(prediction(landing(prefix)))
        assert (found.verdict, found.reason) == ("ok", "project-environment")


def test_another_environment_is_wrong(field: Field) -> None:
    """Landing in an environment that is not the project's is wrong-env, and says which is expected."""
    found = field.judge(prediction(landing(field.other)))
    assert (found.verdict, found.reason) == ("wrong-env", "other-project")
    assert found.expected is not None
    assert (found.expected.prefix, found.expected.exists) == (os.fsencode(field.own), True)
    assert field.judge(prediction(landing(field.venv("pool/x")))).reason == "explicit-environment"
    field.variables["VIRTUAL_ENV"] = os.fsencode(field.other)
    assert field.judge(prediction(landing(field.other))).reason == "stale-virtual-env"
    poetry = replace(prediction(landing(field.other)), tool="poetry", argv=(b"poetry", b"add", b"tiny"))
    assert field.judge(poetry).reason == "active-over-project"


def test_without_a_project_the_active_environment_is_expected(field: Field) -> None:
    """VIRTUAL_ENV or CONDA_PREFIX counts when nothing belongs here; what is gone, or conda's base, does not."""
    field.found = False
    field.variables["VIRTUAL_ENV"] = os.fsencode(field.other)
    found = field.judge(prediction(landing(field.other)))
    assert (found.verdict, found.reason) == ("ok", "active-environment")
    assert field.judge(prediction(landing(field.own))).verdict == "wrong-env"
    field.variables["VIRTUAL_ENV"] = os.fsencode(field.home / "gone")
    found = field.judge(prediction(landing(field.own)))
    assert (found.verdict, found.reason, found.expected) == ("ok", "explicit-environment", None)
    base = conda_root(field.home / "conda")
    field.variables |= {"CONDA_PREFIX": os.fsencode(base)}
    assert judge.active_prefix(field.context) is None


def test_of_two_active_environments_path_decides(field: Field) -> None:
    """The environment whose bin comes first on PATH is the active one."""
    child = conda_prefix(conda_root(field.home / "conda") / "envs" / "kid")
    field.variables |= {"VIRTUAL_ENV": os.fsencode(field.other), "CONDA_PREFIX": os.fsencode(child)}
    for first, second in ((child, field.other), (field.other, child)):
        field.variables["PATH"] = os.fsencode(f"{first}/bin:{second}/bin:/usr/bin")
        assert judge.active_prefix(field.context) == os.fsencode(first)


def test_a_missing_environment_is_expected_where_it_would_be(field: Field) -> None:
    """A project without its environment expects the prefix that would be; making it is ok, all else is not."""
    field.would_create = WouldCreate("uv sync", os.fsencode(field.project / ".new"))
    new = landing(field.project / ".new", exists=False)
    found = field.judge(prediction(new, "creates-environment", creates=True))
    assert (found.verdict, found.reason) == ("ok", "creates-environment")
    assert found.expected is not None
    assert not found.expected.exists
    found = field.judge(prediction(landing(field.other)))
    assert (found.verdict, found.instead) == ("wrong-env", None)
    assert found.message.endswith("not into this project's .new, which is not there yet (`uv sync` makes it)")


def test_pip_in_a_conda_environment_is_mixed_unless_the_project_says_so(field: Field) -> None:
    """The right prefix and another package manager is mixed; a pip section or pypi-dependencies make it ok."""
    field.own = conda_prefix(conda_root(field.home / "conda") / "envs" / "kid")
    field.kind = "conda"
    place = landing(field.own, "conda", "conda")
    found = field.judge(prediction(place))
    assert (found.verdict, found.reason) == ("mixed", "pip-in-conda")
    assert field.judge(replace(prediction(place), tool="conda")).verdict == "ok"
    write(field.project / "environment.yml", "dependencies:\n  - python\n  - pip:\n    - tiny\n")
    assert field.judge(prediction(place)).verdict == "ok"
    (field.project / "environment.yml").unlink()
    write(field.project / "pixi.toml", '[feature.x.pypi-dependencies]\ntiny = "*"\n')
    assert field.judge(prediction(place)).verdict == "ok"


def test_conda_base_is_global(field: Field) -> None:
    """The base of conda is global whatever installs into it."""
    base = conda_root(field.home / "conda")
    found = field.judge(prediction(landing(base, "conda", "conda"), "conda-base"))
    assert (found.verdict, found.reason) == ("global", "conda-base")


def test_an_explicit_directory_is_ok_unless_an_environment_is_around_it(field: Field) -> None:
    """--target, --prefix and --root are ok, or have the verdict of the environment they lie in."""
    free = landing(field.home / "t", "directory", "target")
    assert field.judge(prediction(free, "explicit-directory")).verdict == "ok"
    inside = landing(field.other, "directory", "target")
    assert field.judge(prediction(inside, "explicit-directory")).verdict == "wrong-env"
    own = landing(field.own, "directory", "target")
    found = field.judge(prediction(own, "explicit-directory"))
    assert (found.verdict, found.reason) == ("ok", "explicit-directory")


def test_tools_of_their_own_are_ok(field: Field) -> None:
    """Environments of pipx and uv tool are their own."""
    place = landing(field.home / ".local/share/uv/tools/tiny", "tool", "tool", exists=False)
    found = field.judge(replace(prediction(place, "isolated-tool", creates=True), tool="uv"))
    assert (found.verdict, found.reason) == ("ok", "isolated-tool")


def test_another_environment_that_the_projects_tool_keeps_is_its_own(field: Field) -> None:
    """Tools like hatch and pixi keep several environments for one project: each is the project's."""
    field.system = "hatch"
    place = landing(field.other)
    found = replace(prediction(place, "project-environment"), tool="hatch")
    assert field.judge(found).verdict == "ok"
    assert field.judge(prediction(place, "project-environment")).verdict == "wrong-env"


def test_a_projects_first_environment_is_right_beside_an_active_one(field: Field) -> None:
    """A tool that makes or keeps an environment inside a project without one is right, whatever is switched on."""
    field.found = False
    field.variables["VIRTUAL_ENV"] = os.fsencode(field.other)
    place = landing(field.project / ".venv", exists=False)
    made = replace(prediction(place, "creates-environment", creates=True), tool="uv", argv=(b"uv", b"add", b"tiny"))
    assert field.judge(made).verdict == "ok"
    assert field.judge(prediction(landing(field.own))).verdict == "wrong-env"


def test_the_replacement_runs_the_projects_own_pip(field: Field) -> None:
    """Where the environment is a plain one, its own Python runs the same pip command, and the typed words go."""
    line = b"pip install tiny"
    found = field.judge(prediction(landing("/usr", "base", "base"), "system-python"), typed(line))
    assert found.instead == (os.fsencode(field.own) + b"/bin/python", b"-m", b"pip", b"install", b"tiny")
    assert found.span == (0, len(line))


@pytest.mark.parametrize(
    ("system", "words"),
    [("uv", b"uv add"), ("poetry", b"poetry add"), ("pipenv", b"pipenv install"), ("pdm", b"pdm add")],
)
def test_the_replacement_is_the_owners_command(field: Field, system: str, words: bytes) -> None:
    """A project of a tool that writes dependencies down is offered that tool."""
    field.system = system
    found = field.judge(prediction(landing("/usr", "base", "base"), "system-python"), typed(b"pip install tiny"))
    assert found.instead == (*words.split(), b"tiny")


def test_options_that_the_owners_command_may_not_know_stay_with_pip(field: Field) -> None:
    """What cannot be carried over to the owner's command is said with the environment's own pip."""
    field.system = "poetry"
    argv = (b"pip", b"install", b"--user", b"-U", b"tiny")
    said = replace(prediction(landing("/usr", "user", "user"), "user-site"), argv=argv, plain=False)
    found = field.judge(said, typed(b" ".join(argv)))
    assert found.instead == (os.fsencode(field.own) + b"/bin/python", b"-m", b"pip", b"install", b"-U", b"tiny")


def test_uv_pip_keeps_its_words(field: Field) -> None:
    """``uv pip`` gets the environment as --python, and loses options that name another one."""
    argv = (b"uv", b"pip", b"install", b"--system", b"-p", b"3.12", b"tiny")
    said = replace(prediction(landing("/usr", "base", "base"), "system-python"), tool="uv", argv=argv, plain=False)
    found = field.judge(said, typed(b" ".join(argv)))
    assert found.instead == (b"uv", b"pip", b"install", b"--python", os.fsencode(field.own), b"tiny")


def test_a_tool_led_astray_is_run_without_the_variables(field: Field) -> None:
    """Poetry, Pipenv and PDM take the active environment first: instead, they are not told of it."""
    field.variables["VIRTUAL_ENV"] = os.fsencode(field.other)
    argv = (b"poetry", b"add", b"tiny")
    said = replace(prediction(landing(field.other)), tool="poetry", argv=argv)
    found = field.judge(said, typed(b" ".join(argv)))
    assert found.instead == (b"env", b"-u", b"VIRTUAL_ENV", b"poetry", b"add", b"tiny")


def test_nothing_is_offered_that_does_not_land_there(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replacement whose own prediction is another one, or not sure, is not offered."""

    def strays(_line: bytes, _shell: str, context: Context) -> tuple[tuple[None, Context, Prediction], ...]:
        return ((None, context, prediction(landing(field.other))),)

    monkeypatch.setattr(replacement.dispatch, "predictions", strays)
    found = field.judge(prediction(landing("/usr", "base", "base"), "system-python"), typed(b"pip install tiny"))
    assert (found.instead, found.span) == (None, None)


@pytest.mark.parametrize("state", ["untrusted", "denied"])
def test_nothing_is_offered_that_is_not_trusted(field: Field, state: State) -> None:
    """Without trust there is no replacement; the message names the way to it."""
    field.state = state
    found = field.judge(prediction(landing("/usr", "base", "base"), "system-python"), typed(b"pip install tiny"))
    assert found.instead is None
    assert "alight allow" in found.message


def test_words_that_were_not_typed_have_no_span(field: Field) -> None:
    """Behind xargs, as another user, or out of a string, nothing can be replaced."""
    from alight.commandline.effects import Wrapper

    said = prediction(landing("/usr", "base", "base"), "system-python")
    for simple in (replace(typed(b"pip install tiny"), wrappers=(Wrapper("xargs"),)), Simple((literal(b"pip"),))):
        assert field.judge(said, simple).span is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            prediction(landing("/usr", "base", "base"), "system-python"),
            "this pip installs into Debian Python 3.11 (global), not into this project's .venv",
        ),
        (
            prediction(landing("/usr", "base", "base"), "active-without-pip"),
            (
                "the active environment has no pip: this pip installs into Debian Python 3.11 (global), "
                "not into this project's .venv"
            ),
        ),
        (
            replace(prediction(landing("/usr", "base", "base"), "system-python"), action="uninstall"),
            "this pip uninstalls from Debian Python 3.11 (global), not from this project's .venv",
        ),
        (
            prediction(None, "externally-managed"),
            "pip will refuse: this Python is externally managed, and not this project's .venv",
        ),
        (prediction(None, "no-landing", outcome="nothing"), "this pip command installs nothing"),
    ],
)
def test_one_sentence_says_it(field: Field, said: Prediction, message: str) -> None:
    """The message is one sentence for a person: what, where, and where not."""
    assert field.judge(said).message == message


def test_names_from_the_disk_are_made_fit_to_be_shown(field: Field) -> None:
    """Nothing in a message is anything that a terminal would act on."""
    place = replace(prediction(landing(field.home / "a\x1b[31m\n")), tool="pi\x07p")
    assert field.judge(place).message.isprintable()


@pytest.mark.parametrize("exists", [True, False])
def test_an_environment_that_is_made_is_never_the_wrong_one(field: Field, exists: bool) -> None:
    """`python -m venv other`, `conda create -n x`, `pixi install -e x` make what was asked for."""
    field.variables["VIRTUAL_ENV"] = os.fsencode(field.own)
    argv = (b"python", b"-m", b"venv", b"other")
    place = landing(field.home / "new", exists=exists)
    made = replace(prediction(place, "creates-environment", creates=True), tool="venv", action="create", argv=argv)
    found = field.judge(made)
    assert (found.verdict, found.reason, found.instead) == ("ok", "creates-environment", None)
    assert found.landing is not None and found.landing.exists is exists
    field.system = "pixi"
    first = replace(prediction(landing(field.home / "x", "conda", "conda", exists=False), "creates-environment"),
                    tool="pixi", creates=True)  # fmt: skip
    assert field.judge(first).verdict == "ok"


def test_what_the_line_has_just_made_is_meant(field: Field) -> None:
    """An install into what an earlier command on the line makes is ok; into the same one made before, it is not."""
    place = prediction(landing(field.home / "other"), "active-environment")
    found = field.judge(replace(place, fresh=True))
    assert (found.verdict, found.reason) == ("ok", "explicit-environment")
    assert field.judge(place).verdict == "wrong-env"


def test_what_is_only_likely_is_said_so(field: Field) -> None:
    """A step that is an assumption makes the sentence say "probably"."""
    found = field.judge(replace(prediction(landing(field.other)), certainty="likely"))
    assert found.message.startswith("this pip probably installs into the environment ")
    refused = field.judge(replace(prediction(None, "externally-managed"), certainty="likely"))
    assert refused.message.startswith("pip will probably refuse: ")


def test_sentences_name_what_was_typed(field: Field) -> None:
    """A command that is not there is named as it was typed; a directory is no environment that is made first."""
    for word, said in ((b"poetry", "there is no poetry on PATH, "), (b"v/bin/pip", "there is no v/bin/pip, ")):
        missing = replace(prediction(None, "no-such-command"), argv=(word, b"add", b"x"))
        assert field.judge(missing).message == said + "so nothing is installed"
    free = prediction(landing(field.home / "t", "directory", "target", exists=False), "explicit-directory")
    assert field.judge(free).message.startswith("this pip installs into ")
