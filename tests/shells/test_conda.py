"""What conda adds to a plan: its stack, its scripts, bare interpreters; in every shell, against a scripted daemon."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from support.liar import APPLIED, DECLINED, DIRECTORY, PLAN, Liar, Lie, answer, lying
from support.shells import ShellSession
from support.until import until
from support.world import PATH, World, export, remove, source_activate, unset

HOUR = 3600


class Stage:
    """A conda root with a base and environments in it, a stamp younger than every script, and a scripted daemon.

    ``script`` writes a script of an environment; each of them may write to ``log``. ``plan`` is what the daemon says at
    the next ``tell``; ``asked`` are the questions so far.
    """

    def __init__(self, world: World, kind: str, liar: Liar) -> None:
        self.world, self.kind, self.liar = world, kind, liar
        self.home = world.home
        self.root = world.directory("app")
        self.base = world.directory("conda")
        self.log = world.home / "log"
        (self.base / "condabin").mkdir()
        self.environment = self.base / "envs/app"
        for prefix in (self.base, self.environment, self.base / "envs/other"):
            (prefix / "bin").mkdir(parents=True)
            (prefix / "bin/python").symlink_to("/bin/true")
            (prefix / "conda-meta").mkdir()
        self.stamp = world.home / ".local/share/alight/trust" / ("a" * 64 + ".json")
        self.stamp.parent.mkdir(mode=0o700, parents=True)
        self.stamp.touch(mode=0o600)
        (liar.runtime / "generation").write_text("m1\n")
        self.asked: list[list[bytes]] = []

    def shell(self, env: Mapping[str, str] | None = None, **more: Sequence[str]) -> ShellSession:
        """The shell under test, in the home, told nothing yet."""
        self.liar.lie = self.keep()
        return self.world.shell(self.kind, self.home, {"ALIGHT_DEADLINE": "3", **(env or {})}, daemon=False, **more)

    def script(self, prefix: Path, place: str, *lines: str, name: str = "10-own.sh") -> Path:
        """A script in ``etc/conda/<place>.d``, older than the stamp."""
        return self.file(prefix / f"etc/conda/{place}.d" / name, *lines)

    def file(self, path: Path, *lines: str) -> Path:
        """Any file, older than the stamp."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
        path.chmod(0o644)
        self.age(path, -HOUR)
        return path

    def age(self, path: Path, seconds: int) -> None:
        """Make a file this much younger than the stamp."""
        moment = self.stamp.stat().st_mtime_ns + seconds * 10**9
        os.utime(path, ns=(moment, moment))

    def says(self, text: str) -> str:
        """A line of a script that writes to the log; the same in all shells."""
        return f'echo "{text}" >> {self.log}'

    def logged(self) -> list[str]:
        """The log since the last look."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines

    def plan(self, action: str, *operations: bytes | str, **fields: str | Path) -> Lie:
        """A plan; without more said it is about the environment and carries the stamp where that has a meaning."""
        own = action in ("enter", "adopt", "keep")
        said: dict[str, str | Path] = {
            "action": action,
            "root": self.root,
            "prefix": self.environment if own else "",
            "owner": "alight" if own else "",
            "stamp": self.stamp if own else "",
            "state": "active" if own else "none",
            "segment": "0",
            "generation": self.liar.runtime / "generation",
            "mark": "m1",
            **fields,
        }
        frames = [os.fsencode(said.get(name, "")) for name in PLAN]
        tail = [os.fsencode(operation) for operation in operations]

        def lie(request: list[bytes]) -> list[bytes]:
            self.asked.append(request)
            return answer(request, b"plan", *frames, *tail)

        return lie

    def keep(self) -> Lie:
        """A plan that changes nothing."""
        return self.plan("keep", prefix="", owner="", stamp="", state="none")

    def tell(self, shell: ShellSession, lie: Lie) -> str:
        """Have the shell ask and be answered this; what was displayed."""
        self.liar.beat()
        self.liar.lie = lie
        before = self.liar.asked
        said = shell.run("alight on")
        assert self.liar.asked > before, f"the shell did not ask\n{shell.screen()[-1500:]}"
        return said

    def leave(self, shell: ShellSession) -> str:
        """Have the shell leave; what was displayed."""
        return self.tell(shell, self.plan("leave"))

    def entering(self, prefix: Path | None = None) -> list[str]:
        """The variables and PATH of conda for an environment on an empty stack."""
        chosen = prefix or self.environment
        return [
            f"set CONDA_PREFIX={chosen}",
            "set CONDA_SHLVL=1",
            f"set CONDA_DEFAULT_ENV={chosen.name}",
            f"set CONDA_PROMPT_MODIFIER=({chosen.name}) ",
            f"path-add {chosen}/bin",
        ]

    def stacking(self) -> list[str]:
        """The same on top of the base."""
        return [
            "save CONDA_PREFIX_1=CONDA_PREFIX",
            f"set CONDA_PREFIX={self.environment}",
            "set CONDA_SHLVL=2",
            "set CONDA_DEFAULT_ENV=app",
            f"path-replace {self.base}/bin:{self.environment}/bin",
        ]

    def on_base(self) -> dict[str, str]:
        """The environment of a shell in which conda's base is on."""
        return {
            "PATH": f"{self.base}/bin:{PATH}",
            "CONDA_PREFIX": str(self.base),
            "CONDA_SHLVL": "1",
            "CONDA_DEFAULT_ENV": "base",
            "CONDA_EXE": f"{self.base}/bin/conda",
        }


@pytest.fixture
def stage(world: World, kind: str, runtime_directory: Path) -> Iterator[Stage]:
    with lying(runtime_directory) as liar:
        yield Stage(world, kind, liar)
        world.close()


def state(shell: ShellSession) -> dict[bytes, bytes]:
    """The environment, without what displays and what differs between any two commands."""
    return {
        name: value
        for name, value in shell.env().items()
        if not name.startswith(b"ALIGHT_") and name not in (b"_", b"SHLVL", b"OLDPWD")
    }


def path(shell: ShellSession) -> list[str]:
    return os.fsdecode(shell.env()[b"PATH"]).split(":")


def interrupt(shell: ShellSession) -> None:
    """Ctrl-C while the script of a hook sleeps, and what follows at the next prompt."""
    children = Path(f"/proc/{shell.pid}/task/{shell.pid}/children")

    def sleeps() -> bool:
        commands = (Path(f"/proc/{pid}/comm") for pid in children.read_text().split())
        return any(command.exists() and command.read_text() == "sleep\n" for command in commands)

    until("the script sleeps", sleeps, 10)
    shell.send_keys("\x03")
    if shell.kind == "fish":  # which ends all that was to come before the prompt, also the mark that is waited for
        until("the script has ended", lambda: not sleeps(), 10)
        shell.run("")
    else:
        shell.wait_prompt()


def set_path(kind: str, *entries: str) -> str:
    return f"set -gx PATH {' '.join(entries)}" if kind == "fish" else f"export PATH={':'.join(entries)}"


# --- operations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("former", [None, "", "/usr"], ids=["unset", "empty", "set"])
def test_r31_conda_variables_come_back_as_they_were(stage: Stage, former: str | None) -> None:
    """R31: what is saved for `conda deactivate` and what replaces it both come back; nothing is saved of nothing."""
    shell = stage.shell()
    for name in ("FLAVOUR", "CONDA_DEFAULT_ENV"):
        shell.run(unset(stage.kind, name) if former is None else export(stage.kind, name, former))
    before = state(shell)
    stage.tell(
        shell, stage.plan("enter", "save __CONDA_SHLVL_0_FLAVOUR=FLAVOUR", "set FLAVOUR=mint", *stage.entering())
    )
    env = shell.env()
    assert env[b"FLAVOUR"] == b"mint"
    assert env.get(b"__CONDA_SHLVL_0_FLAVOUR") == (None if former is None else former.encode())
    assert env[b"CONDA_PREFIX"] == os.fsencode(stage.environment)
    assert env[b"CONDA_PROMPT_MODIFIER"] == b"(app) "
    stage.leave(shell)
    assert state(shell) == before


def test_r30_what_the_user_changed_meanwhile_stays(stage: Stage) -> None:
    """R30: conda's entries leave PATH alone, wherever they are by then; a variable with another value stays."""
    shell = stage.shell()
    stage.tell(shell, stage.plan("enter", "set FLAVOUR=mint", *stage.entering(), f"path-add {stage.base}/condabin"))
    assert path(shell)[:2] == [f"{stage.base}/condabin", f"{stage.environment}/bin"]
    shell.run(set_path(stage.kind, "/user/front", *path(shell), "/user/behind"))
    shell.run(export(stage.kind, "FLAVOUR", "mine"))
    stage.leave(shell)
    assert path(shell) == ["/user/front", *PATH.split(":"), "/user/behind"]
    assert shell.env()[b"FLAVOUR"] == b"mine"
    assert shell.variable("CONDA_PREFIX") is None


def test_a_replaced_entry_is_put_back_in_its_place(stage: Stage) -> None:
    """`path-replace`: the new entry stands where the old one was, further old ones go; undo puts one back there."""
    shell = stage.shell(stage.on_base())
    shell.run(set_path(stage.kind, "/first", f"{stage.base}/bin", "/bin", "/usr/bin", f"{stage.base}/bin"))
    stage.tell(shell, stage.plan("enter", *stage.stacking()))
    assert path(shell) == ["/first", f"{stage.environment}/bin", "/bin", "/usr/bin"]
    assert shell.env()[b"CONDA_PREFIX_1"] == os.fsencode(stage.base)
    stage.leave(shell)
    assert path(shell) == ["/first", f"{stage.base}/bin", "/bin", "/usr/bin"]
    assert shell.env()[b"CONDA_PREFIX"] == os.fsencode(stage.base)
    assert shell.variable("CONDA_PREFIX_1") is None


def test_a_replaced_entry_is_not_put_back_twice_nor_without_a_place(stage: Stage) -> None:
    """`path-replace`: with the old entry on PATH again the new one just goes; without the new one nothing comes."""
    shell = stage.shell(stage.on_base())
    stage.tell(shell, stage.plan("enter", *stage.stacking()))
    shell.run(set_path(stage.kind, *path(shell), f"{stage.base}/bin"))
    stage.leave(shell)
    assert path(shell) == [*PATH.split(":"), f"{stage.base}/bin"]
    stage.tell(shell, stage.plan("enter", *stage.stacking()))
    shell.run(set_path(stage.kind, *PATH.split(":")))
    stage.leave(shell)
    assert path(shell) == PATH.split(":")


def test_without_an_entry_to_replace_the_new_one_comes_first(stage: Stage) -> None:
    """`path-replace`: first in PATH when there is no old entry, and away again without a trace of one."""
    shell = stage.shell()
    stage.tell(shell, stage.plan("enter", *stage.stacking()))
    assert path(shell) == [f"{stage.environment}/bin", *PATH.split(":")]
    stage.leave(shell)
    assert path(shell) == PATH.split(":")


def test_a_script_that_saved_path_meanwhile_brings_the_old_entry_back(stage: Stage) -> None:
    """`path-replace` under a venv of the user's own: its `deactivate` gives a PATH with the base's entry, not ours."""
    own = stage.world.venv(stage.world.directory("tools") / "mine")
    shell = stage.shell(stage.on_base())
    stage.tell(shell, stage.plan("enter", *stage.stacking()))
    stage.liar.lie = stage.plan("keep")
    shell.run("functions -e deactivate" if stage.kind == "fish" else "unset -f deactivate")
    shell.run(source_activate(stage.kind, own))
    stage.leave(shell)
    shown = "string join : $PATH" if stage.kind == "fish" else "echo $PATH"
    assert shell.run(f"deactivate; {shown}").strip() == f"{stage.base}/bin:{PATH}"


REFUSED = [
    "save NAME",
    "save PATH=HOME",
    "save LD_PRELOAD=HOME",
    "save NAME=PATH",
    "save NAME=a[$(touch hurt)]",
    "save a[$(touch hurt)]=HOME",
    "save =HOME",
    "set CONDA_PROMPT_MODIFIER",
    "path-add @/condabin",
    "path-add @/envs/none/condabin",
    "path-add condabin",
    "path-replace @/bin",
    "path-replace bin:@/envs/app/bin",
    "path-replace @/bin:@/envs/other/bin",
    "path-replace @/bin:@/envs/app/bin:/x",
    "path-replace @/envs/app/bin:@/envs/app/bin",
    "path-replace :@/envs/app/bin",
    "conda-pop relative",
    "conda-pop ",
    "run @/envs/other/etc/conda/activate.d/10-own.sh",
    "run @/envs/app/etc/conda/10-own.sh",
    "run @/envs/app/etc/conda/activate.d/../10-own.sh",
    "run @/envs/app/etc/conda/activate.d/sub/10-own.sh",
    "run @/envs/app/etc/conda/activate.d/",
    "run @/envs/app/etc/conda/activate.d",
    "run @/envs/app/bin/activate",
    "run @/envs/app/bin/predeactivate",
    "run etc/conda/activate.d/10-own.sh",
    "on-leave @/envs/app/etc/conda/activate.d/10-own.sh",
    "on-leave @/envs/app/bin/postactivate",
    "after-leave @/envs/app/etc/conda/deactivate.d/10-own.sh",
    "after-leave @/envs/app/postdeactivate",
    "after-leave /etc/profile",
    "eval touch hurt",
]
"""Operations that no plan may carry; ``@`` is the conda root, whose own ``conda-meta`` is somebody else's here."""


def test_operations_that_are_refused(stage: Stage) -> None:
    """One bad operation of conda's kind, and nothing of the plan is applied, also not the good ones before it."""
    for folder in ("activate.d", "activate.d/sub", "deactivate.d", ""):
        for prefix in (stage.environment, stage.base / "envs/other"):
            stage.file(prefix / "etc/conda" / folder / "10-own.sh", stage.says("ran"))
    for name in ("activate", "predeactivate", "postactivate"):
        stage.file(stage.environment / "bin" / name, stage.says("ran"))
    if os.geteuid() == 0:
        os.chown(stage.base / "conda-meta", 4242, 4242)
    else:
        shutil.rmtree(stage.base / "conda-meta")
    shell = stage.shell()
    before = state(shell)
    for operation in REFUSED:
        bad = operation.replace("@", str(stage.base))
        said = stage.tell(shell, stage.plan("enter", *stage.entering(), bad))
        assert (said.strip(), state(shell), operation) == ("", before, operation)
    assert stage.logged() == []
    assert not list(stage.home.rglob("hurt"))
    stage.tell(shell, stage.plan("enter", *stage.entering()))
    assert shell.variable("CONDA_PREFIX") == os.fsencode(stage.environment)


@pytest.mark.parametrize("action", ["keep", "adopt", "leave", "clean"])
def test_which_action_may_carry_which_operation(stage: Stage, action: str) -> None:
    """Only entering adds anything or sources files now; cleaning takes away, keeping and adopting tell the way out."""
    scripts = {
        "on-leave": stage.script(stage.environment, "deactivate", stage.says("left")),
        "after-leave": stage.script(stage.environment, "activate", stage.says("left")),
    }
    env = {"CONDA_PREFIX": str(stage.environment), "CONDA_SHLVL": "1"}
    shell = stage.shell({**env, "EXTRA": "1"})
    before = state(shell)
    operations = [
        "save X=HOME", "set X=1", f"path-add {stage.environment}/bin", f"path-replace /bin:{stage.environment}/bin",
        f"run {scripts['after-leave']}", "unset EXTRA",
    ]  # fmt: skip
    if action != "clean":
        operations += ["drop EXTRA", "path-remove /bin", f"conda-pop {stage.environment}"]
    if action in ("leave", "clean"):
        operations += [f"{verb} {file}" for verb, file in scripts.items()]
    for operation in operations:
        stage.tell(shell, stage.plan(action, operation, prefix=stage.environment, owner="wrong"))
        assert (state(shell), operation) == (before, operation)
        assert stage.liar.asked > 0
        stage.tell(shell, stage.keep())
        assert stage.asked[-1][APPLIED] == b""
    assert stage.logged() == []


# --- scripts --------------------------------------------------------------------------------------


def test_r34_scripts_run_once_each_in_order(stage: Stage) -> None:
    """R34: those of the base for leaving, ours for entering; on the way out ours for leaving, then the base's again."""
    tag = stage.says
    stage.script(stage.base, "activate", tag("base-activate $CONDA_PREFIX $CONDA_SHLVL"))
    stage.script(stage.base, "deactivate", tag("base-deactivate $CONDA_PREFIX $CONDA_SHLVL"))
    for name in ("10-one.sh", "20-two.sh"):
        stage.script(stage.environment, "activate", tag(f"activate {name} $CONDA_PREFIX $CONDA_SHLVL"), name=name)
        stage.script(stage.environment, "deactivate", tag(f"deactivate {name} $CONDA_PREFIX $CONDA_SHLVL"), name=name)
    own, base = stage.environment / "etc/conda", stage.base / "etc/conda"
    way_out = [
        f"on-leave {own}/deactivate.d/20-two.sh",
        f"on-leave {own}/deactivate.d/10-one.sh",
        f"after-leave {base}/activate.d/10-own.sh",
    ]
    shell = stage.shell(stage.on_base())
    before = state(shell)
    for _ in range(2):
        stage.tell(
            shell,
            stage.plan(
                "enter",
                f"run {base}/deactivate.d/10-own.sh",
                *stage.stacking(),
                f"run {own}/activate.d/10-one.sh",
                f"run {own}/activate.d/20-two.sh",
                *way_out,
            ),
        )
        assert stage.logged() == [
            f"base-deactivate {stage.base} 1",
            f"activate 10-one.sh {stage.environment} 2",
            f"activate 20-two.sh {stage.environment} 2",
        ]
        stage.tell(shell, stage.plan("keep", *way_out))
        shell.run("")
        assert stage.logged() == []
        stage.leave(shell)
        assert stage.logged() == [
            f"deactivate 20-two.sh {stage.environment} 2",
            f"deactivate 10-one.sh {stage.environment} 2",
            f"base-activate {stage.base} 1",
        ]
        assert state(shell) == before


def test_the_list_of_an_answer_replaces_the_one_before(stage: Stage) -> None:
    """A script that appeared meanwhile runs on the way out, one that is no longer told of does not."""
    old = stage.script(stage.environment, "deactivate", stage.says("old"), name="old.sh")
    new = stage.script(stage.environment, "deactivate", stage.says("new"), name="new.sh")
    shell = stage.shell()
    stage.tell(shell, stage.plan("enter", *stage.entering(), f"on-leave {old}", f"on-leave {old}"))
    stage.tell(shell, stage.plan("keep", f"on-leave {new}", stamp=""))
    stage.leave(shell)
    assert stage.logged() == ["new"]


FAULTS = ("link", "group", "others", "newer", "owner", "directory", "absent", "stamp", "stamp-link")


def spoil(stage: Stage, file: Path, fault: str) -> None:
    """Give a file, or the stamp, one property for which it must not be sourced."""
    match fault:
        case "link":
            shutil.move(file, file.with_suffix(".real"))
            file.symlink_to(file.with_suffix(".real"))
        case "group" | "others":
            file.chmod(0o664 if fault == "group" else 0o646)
        case "newer":
            stage.age(file, 1)
        case "owner" if os.geteuid() == 0:
            os.chown(file, 4242, 4242)
        case "directory":
            file.unlink()
            file.mkdir()
        case "stamp":
            stage.stamp.unlink()
        case "stamp-link":
            shutil.move(stage.stamp, stage.stamp.with_suffix(".real"))
            stage.stamp.symlink_to(stage.stamp.with_suffix(".real"))
        case _:
            file.unlink()


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_are_not_sourced(stage: Stage, fault: str) -> None:
    """A link, others' to write or own, changed since the approval, or without one: skipped; the rest takes place."""
    run = stage.script(stage.environment, "activate", stage.says("run"))
    on_leave = stage.script(stage.environment, "deactivate", stage.says("on-leave"))
    after = stage.script(stage.base, "activate", stage.says("after-leave"))
    shell = stage.shell(stage.on_base())
    before = state(shell)
    if not fault.startswith("stamp"):
        for file in (run, on_leave, after):
            spoil(stage, file, fault)
    way_out = [f"on-leave {on_leave}", f"after-leave {after}"]
    operations = [*([] if fault.startswith("stamp") else [f"run {run}"]), *stage.stacking(), *way_out]
    assert stage.tell(shell, stage.plan("enter", *operations)).strip() == ""
    assert shell.variable("CONDA_PREFIX") == os.fsencode(stage.environment)
    if fault.startswith("stamp"):
        spoil(stage, run, fault)
    assert stage.leave(shell).strip() == ""
    # The stamp does not speak of what lies beneath.
    assert stage.logged() == (["after-leave"] if fault == "newer" else [])
    assert state(shell) == before


def test_the_stamps_environment_is_known_by_any_path(stage: Stage) -> None:
    """A changed script is not sourced through another name of the approved environment either."""
    run = stage.script(stage.environment, "activate", stage.says("run"))
    stage.age(run, 1)
    other = stage.home / "other-name"
    other.symlink_to(stage.environment)
    shell = stage.shell()
    stage.tell(shell, stage.plan("enter", *stage.entering(), f"run {other}/etc/conda/activate.d/{run.name}"))
    assert shell.variable("CONDA_PREFIX") == os.fsencode(stage.environment)
    assert stage.logged() == []


def test_a_file_as_old_as_the_stamp_is_sourced(stage: Stage) -> None:
    """Not newer is enough: an environment that was made and approved in one tick is activated as a whole."""
    run = stage.script(stage.environment, "activate", stage.says("run"))
    stage.age(run, 0)
    shell = stage.shell()
    stage.tell(shell, stage.plan("enter", *stage.entering(), f"run {run}"))
    assert stage.logged() == ["run"]


def test_virtualenvwrappers_hooks(stage: Stage) -> None:
    """Its hooks are those of the environment and of the folder it lies in, each on its own way."""
    own = stage.world.venv(stage.world.directory("envs") / "app")
    for folder in (own / "bin", own.parent):
        for name in ("postactivate", "predeactivate", "postdeactivate"):
            stage.file(folder / name, stage.says(f"{name} {folder.name} $VIRTUAL_ENV"))
    shell = stage.shell()
    stage.tell(
        shell,
        stage.plan(
            "enter",
            f"set VIRTUAL_ENV={own}",
            f"path-add {own}/bin",
            f"run {own.parent}/postactivate",
            f"run {own}/bin/postactivate",
            f"on-leave {own}/bin/predeactivate",
            f"on-leave {own.parent}/predeactivate",
            f"after-leave {own}/bin/postdeactivate",
            f"after-leave {own.parent}/postdeactivate",
            prefix=own,
        ),
    )
    assert stage.logged() == [f"postactivate envs {own}", f"postactivate bin {own}"]
    stage.leave(shell)
    assert stage.logged() == [
        f"predeactivate bin {own}",
        f"predeactivate envs {own}",
        "postdeactivate bin ",
        "postdeactivate envs ",
    ]


def test_a_hook_that_came_while_a_remembered_venv_was_on_runs(stage: Stage) -> None:
    """A venv that the shell entered without asking is left with the scripts that it got in the meantime."""
    own = stage.world.venv(stage.world.directory("envs") / "app")
    entering = stage.plan(
        "enter", f"set VIRTUAL_ENV={own}", "set VIRTUAL_ENV_PROMPT=app", f"path-add {own}/bin", prefix=own
    )
    shell = stage.shell()
    stage.tell(shell, entering)
    stage.leave(shell)
    stage.liar.lie = stage.keep()
    shell.cd(stage.root)
    asked = stage.liar.asked
    shell.cd(stage.home)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)
    assert stage.liar.asked == asked
    leaving = stage.file(own / "bin/predeactivate", stage.says("predeactivate"))
    stage.tell(shell, stage.plan("keep", f"on-leave {leaving}", prefix=own))
    stage.leave(shell)
    assert stage.logged() == ["predeactivate"]
    assert b"VIRTUAL_ENV" not in shell.env()


TEMPERS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "return": {"sh": ["return 3"], "fish": ["return 3"]},
    "exit": {"sh": ["(exit 5)", "if true; then exit 3; fi"], "fish": ["if true; exit 3; end"]},
    "fails": {"sh": ["false", "command false", "echo one | false"], "fish": ["false", "echo one | false"]},
    "unknown": {"sh": ["no-such-command-here 2>/dev/null"], "fish": ["no-such-command-here 2>/dev/null"]},
    "unset": {"sh": ["set -u", ": $not_there_at_all"], "fish": ["set -q not_there_at_all"]},
    "options": {
        "sh": ['if [ -n "$ZSH_VERSION" ]; then setopt sh_word_split null_glob; else set -f -C; fi; set -u'],
        "fish": ["true"],
    },
    "noise": {"sh": ["echo said; echo warned >&2"], "fish": ["echo said; echo warned >&2"]},
    "shadows": {
        "sh": ["root=1 prefix=2 code=3 first=4 key=5 name=6 operations=7 owner=8 action=9 f=0 at=0"],
        "fish": ["set -g root 1; set -g prefix 2; set -g file 3; set -g words 4; set -g f 5"],
    },
}


@pytest.mark.parametrize("temper", TEMPERS)
def test_r35_scripts_of_every_temper(stage: Stage, temper: str) -> None:
    """R35: a script that fails, exits, is strict or noisy breaks neither the plan nor the shell, nor leaves options."""
    family = "fish" if stage.kind == "fish" else "sh"
    lines = TEMPERS[temper][family]
    run = stage.script(stage.environment, "activate", export(stage.kind, "MADE", "1"), stage.says("in"), *lines)
    last = stage.script(stage.environment, "activate", stage.says("second"), name="20.sh")
    out = stage.script(stage.environment, "deactivate", stage.says("out"), unset(stage.kind, "MADE"), *lines)
    options = {"zsh": "setopt", "bash": "set +o; shopt", "fish": "trap"}[stage.kind]
    own_exit = {"zsh": 'exit() { builtin exit "$@" }', "bash": "alias exit='builtin exit'"}.get(stage.kind)
    before_lines = [own_exit] if own_exit and temper == "exit" else []
    shell = stage.shell(before=before_lines)
    listed, before = shell.run(options), state(shell)
    for _ in range(2):
        said = stage.tell(
            shell, stage.plan("enter", *stage.entering(), f"run {run}", f"run {last}", "set LATE=1", f"on-leave {out}")
        )
        assert ("said" in said) == (temper == "noise")
        env = shell.env()
        assert (env.get(b"MADE"), env.get(b"LATE")) == (b"1", b"1")
        assert shell.run(options) == listed
        stage.leave(shell)
        assert stage.logged() == ["in", "second", "out"]
        assert shell.run(options) == listed
        assert state(shell) == before
    if before_lines:
        assert "builtin exit" in shell.run("alias exit" if stage.kind == "bash" else "typeset -f exit")
        shell.run("unalias exit 2>/dev/null")
    assert shell.run("echo alive").strip() == "alive"
    assert shell.exit("exit 7") == 7


def test_r36_scripts_leave_the_status_alone(stage: Stage) -> None:
    """R36: the status and the statuses of the last pipeline are the user's, whatever the scripts end with."""
    run = stage.script(stage.environment, "activate", "true | false | true", "false")
    shell = stage.shell()
    stage.liar.lie = stage.plan("enter", *stage.entering(), f"run {run}")
    where = f"cd {stage.root}"
    shell.run(f"{where}; false | true | sh -c 'exit 4'")
    words = {"zsh": "echo $? $pipestatus", "bash": "echo $? ${PIPESTATUS[@]}", "fish": "echo $status $pipestatus"}
    assert shell.run(words[stage.kind]).strip() == "4 1 0 4"
    assert shell.variable("CONDA_PREFIX") == os.fsencode(stage.environment)


def test_what_a_script_gives_the_shell_is_the_users(stage: Stage) -> None:
    """Exports, functions and PATH entries of a script stay where it put them; conda's own entry goes all the same."""
    function = "function tool; echo tool; end" if stage.kind == "fish" else "tool() { echo tool; }"
    front = "set -gx PATH /script/front $PATH" if stage.kind == "fish" else "export PATH=/script/front:$PATH"
    arguments = "count $argv; and test -z $argv[1]" if stage.kind == "fish" else 'echo $#; test -z "$1"'
    run = stage.script(
        stage.environment, "activate", export(stage.kind, "MADE", "1"), export(stage.kind, "FLAVOUR", "script"),
        function, front, f"begin; {arguments}; and echo first-empty; end >> {stage.log}" if stage.kind == "fish"
        else f"{{ {arguments} && echo first-empty; }} >> {stage.log}",
    )  # fmt: skip
    shell = stage.shell()
    stage.tell(shell, stage.plan("enter", "set FLAVOUR=mint", *stage.entering(), f"run {run}"))
    assert stage.logged() == ["1", "first-empty"]
    assert shell.run("tool").strip() == "tool"
    assert path(shell)[:2] == ["/script/front", f"{stage.environment}/bin"]
    stage.leave(shell)
    env = shell.env()
    assert (env.get(b"MADE"), env.get(b"FLAVOUR")) == (b"1", b"script"), "redefined by the script: not ours any more"
    assert path(shell) == ["/script/front", *PATH.split(":")]


@pytest.mark.parametrize("kind", ["zsh", "bash"])
def test_r35_scripts_run_under_the_users_options(stage: Stage) -> None:
    """R35: the user's own options hold in a script, but for errexit and nounset, which are back afterwards."""
    if stage.kind == "zsh":
        options, probe = ["setopt sh_word_split err_exit no_unset"], "words='a b'; count() { echo $# }; count $words"
    else:
        options, probe = ["set -a", "set -e", "set -u"], "words=2; bash -c 'echo $words'"
    run = stage.script(stage.environment, "activate", "false", ": $not_there", f"{{ {probe}; }} >> {stage.log}")
    shell = stage.shell(after=["PS0=", *options])
    stage.tell(shell, stage.plan("enter", *stage.entering(), f"run {run}"))
    assert stage.logged() == ["2"]
    asked = "[[ -o err_exit && ! -o unset ]] && echo on" if stage.kind == "zsh" else "case $- in *e*u*) echo on;; esac"
    assert shell.run(asked).strip() == "on"


def test_r37_ctrl_c_in_a_script_undoes_what_was_begun(stage: Stage) -> None:
    """R37: who ends a script does not want the environment now: all of it is undone and the project stays off."""
    slow = stage.script(stage.environment, "activate", export(stage.kind, "MADE", "1"), stage.says("slow"), "sleep 60")
    shell = stage.shell()
    before = state(shell)
    before.pop(b"PWD")
    enter = stage.plan("enter", *stage.entering(), f"run {slow}", "set LATE=1")
    keep = stage.keep()
    stage.liar.lie = lambda request: keep(request) if request[DECLINED] else enter(request)
    stage.liar.beat()
    shell.send_keys(f"cd {stage.root}\r")
    interrupt(shell)
    after = state(shell)
    assert after.pop(b"MADE") == b"1"
    assert after.pop(b"PWD") == os.fsencode(stage.root)
    assert after == before
    assert stage.asked[-1][APPLIED : DECLINED + 1] == [b"", os.fsencode(stage.root)]
    shell.run("")
    assert stage.logged() == ["slow"]
    assert shell.run("type exit" if stage.kind != "fish" else "type -t exit").strip().endswith("builtin")
    stage.file(slow, stage.says("quick"))
    stage.tell(shell, enter)
    assert stage.logged() == ["quick"]
    assert shell.variable("LATE") == b"1"


def test_r37_ctrl_c_on_the_way_out_leaves_nothing_behind(stage: Stage) -> None:
    """R37: a script that is ended on the way out is not begun again, the ones after it and the undoing take place."""
    slow = stage.script(stage.environment, "deactivate", stage.says("slow"), "sleep 60", name="slow.sh")
    quick = stage.script(stage.environment, "deactivate", stage.says("quick"))
    shell = stage.shell()
    before = state(shell)
    stage.tell(shell, stage.plan("enter", *stage.entering(), f"on-leave {slow}", f"on-leave {quick}"))
    leave, keep = stage.plan("leave"), stage.keep()
    stage.liar.lie = lambda request: leave(request) if request[APPLIED] else keep(request)
    stage.liar.beat()
    shell.send_keys("alight on\r")
    interrupt(shell)
    assert state(shell) == before
    assert stage.logged() == ["slow", "quick"]


# --- conda's stack --------------------------------------------------------------------------------


def test_r28_another_environment_on_top_is_left_alone(stage: Stage) -> None:
    """R28: conda's variables are one set: while another prefix is on, leaving changes nothing and sources nothing."""
    out = stage.script(stage.environment, "deactivate", stage.says("out"))
    other = stage.base / "envs/other"
    shell = stage.shell()
    stage.tell(
        shell,
        stage.plan("enter", "set FLAVOUR=mint", *stage.entering(), f"on-leave {out}"),
    )
    stage.liar.lie = stage.plan("keep", f"on-leave {out}")
    for name, value in (("CONDA_PREFIX_1", stage.environment), ("CONDA_PREFIX", other), ("CONDA_SHLVL", "2")):
        shell.run(export(stage.kind, name, str(value)))
    shell.run(set_path(stage.kind, f"{other}/bin", *path(shell)))
    before = state(shell)
    assert stage.asked[-1][APPLIED] == os.fsencode(stage.environment), "stacked is not switched off"
    assert stage.asked[-1][DECLINED] == b""
    stage.leave(shell)
    assert state(shell) == before
    assert stage.logged() == []
    stage.tell(shell, stage.keep())
    assert stage.asked[-1][APPLIED] == b""
    assert "deactivate" not in shell.run("functions --names" if stage.kind == "fish" else "typeset -f deactivate")


def test_r20_conda_deactivate_sticks(stage: Stage) -> None:
    """R20: an environment of ours that the user's own `conda deactivate` popped stays off in this project."""
    out = stage.script(stage.environment, "deactivate", stage.says("out"))
    shell = stage.shell(stage.on_base())
    stage.tell(shell, stage.plan("enter", *stage.stacking(), f"on-leave {out}"))
    stage.liar.lie = stage.keep()
    popped = [
        export(stage.kind, "CONDA_PREFIX", str(stage.base)),
        export(stage.kind, "CONDA_SHLVL", "1"),
        export(stage.kind, "CONDA_DEFAULT_ENV", "base"),
        unset(stage.kind, "CONDA_PREFIX_1"),
        set_path(stage.kind, f"{stage.base}/bin", *PATH.split(":")),
    ]
    shell.run("; ".join(popped))
    assert stage.asked[-1][APPLIED : DECLINED + 1] == [b"", os.fsencode(stage.root)]
    assert stage.logged() == []
    assert path(shell) == [f"{stage.base}/bin", *PATH.split(":")]


def test_r20_our_own_deactivate_leaves_conda_too(stage: Stage) -> None:
    """R20: `deactivate` leaves a conda environment of ours with its scripts, and declines the project."""
    out = stage.script(stage.environment, "deactivate", stage.says("out $CONDA_PREFIX"))
    shell = stage.shell(stage.on_base())
    before = state(shell)
    stage.tell(shell, stage.plan("enter", *stage.stacking(), f"on-leave {out}"))
    stage.liar.lie = stage.keep()
    shell.run("deactivate")
    assert stage.logged() == [f"out {stage.environment}"]
    assert state(shell) == before
    assert stage.asked[-1][DECLINED] == os.fsencode(stage.root)


def test_r15_an_environment_that_is_gone_is_left_at_once(stage: Stage) -> None:
    """R15: without its conda-meta it is left at the next prompt, daemon or no daemon; what lies beneath is entered."""
    out = stage.script(stage.environment, "deactivate", stage.says("out"))
    after = stage.script(stage.base, "activate", stage.says("base $CONDA_PREFIX"))
    shell = stage.shell(stage.on_base())
    before = state(shell)
    stage.tell(
        shell,
        stage.plan(
            "enter",
            *stage.stacking(),
            f"on-leave {out}",
            f"after-leave {after}",
            witness_1=stage.environment / "conda-meta",
        ),
    )
    stage.liar.lie = lambda _request: None
    remove(stage.environment)
    assert "No such" not in shell.run("")
    assert stage.logged() == [f"base {stage.base}"]
    assert state(shell) == before


BASE, BELOW = "/c", "/c/envs/below"
POPS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str | None]]] = {
    "last": (
        {"CONDA_SHLVL": "1", "CONDA_PROMPT_MODIFIER": "(top) ", "PATH": "/a:/t/bin:/bin:/t/bin"},
        {"CONDA_PREFIX": None, "CONDA_DEFAULT_ENV": None, "CONDA_PROMPT_MODIFIER": None, "CONDA_SHLVL": "0",
         "PATH": "/a:/bin:/t/bin"},
    ),
    "a hole below": (
        {"CONDA_SHLVL": "3", "CONDA_PREFIX_1": BASE},
        {"CONDA_PREFIX": None, "CONDA_DEFAULT_ENV": None, "CONDA_SHLVL": "0", "PATH": "/bin"},
    ),
    "empty below": (
        {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": ""},
        {"CONDA_PREFIX": None, "CONDA_DEFAULT_ENV": None, "CONDA_SHLVL": "0", "PATH": "/bin"},
    ),
    "base by its root": (
        {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": BASE, "_CONDA_ROOT": BASE, "CONDA_PROMPT_MODIFIER": "(top) "},
        {"CONDA_PREFIX": BASE, "CONDA_DEFAULT_ENV": "base", "CONDA_PROMPT_MODIFIER": "(base) ", "CONDA_SHLVL": "1",
         "CONDA_PREFIX_1": None, "PATH": "/c/bin:/bin"},
    ),
    "base by its program": (
        {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": BASE, "CONDA_EXE": "/c/bin/conda"},
        {"CONDA_PREFIX": BASE, "CONDA_DEFAULT_ENV": "base", "CONDA_SHLVL": "1", "CONDA_PREFIX_1": None,
         "PATH": "/c/bin:/bin"},
    ),
    "a named one": (
        {"CONDA_SHLVL": "3", "CONDA_PREFIX_1": BASE, "CONDA_PREFIX_2": BELOW, "CONDA_PROMPT_MODIFIER": ""},
        {"CONDA_PREFIX": BELOW, "CONDA_DEFAULT_ENV": "below", "CONDA_PROMPT_MODIFIER": "", "CONDA_SHLVL": "2",
         "CONDA_PREFIX_2": None, "PATH": "/c/envs/below/bin:/bin"},
    ),
    "one by its path": (
        {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": "/x/own", "PATH": "/a:/t/bin:/bin"},
        {"CONDA_PREFIX": "/x/own", "CONDA_DEFAULT_ENV": "/x/own", "CONDA_SHLVL": "1", "CONDA_PREFIX_1": None,
         "PATH": "/a:/x/own/bin:/bin"},
    ),
    "stacked": (
        {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": BASE, "CONDA_STACKED_2": "true", "PATH": "/t/bin:/c/bin:/bin"},
        {"CONDA_PREFIX": BASE, "CONDA_DEFAULT_ENV": BASE, "CONDA_SHLVL": "1", "CONDA_PREFIX_1": None,
         "CONDA_STACKED_2": None, "PATH": "/c/bin:/bin"},
    ),
    "without its entry": (
        {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": BASE, "PATH": "/bin"},
        {"CONDA_PREFIX": BASE, "CONDA_DEFAULT_ENV": BASE, "CONDA_SHLVL": "1", "CONDA_PREFIX_1": None,
         "PATH": "/c/bin:/bin"},
    ),
    "saved values": (
        {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": BELOW, "__CONDA_SHLVL_1_FLAVOUR": "old", "FLAVOUR": "new",
         "__CONDA_SHLVL_0_FLAVOUR": "oldest", "__CONDA_SHLVL_1_LD_PRELOAD": "x", "__CONDA_SHLVL_10_FLAVOUR": "far"},
        {"CONDA_PREFIX": BELOW, "CONDA_DEFAULT_ENV": "below", "CONDA_SHLVL": "1", "CONDA_PREFIX_1": None,
         "FLAVOUR": "old", "__CONDA_SHLVL_1_FLAVOUR": None, "PATH": "/c/envs/below/bin:/bin"},
    ),
    "saved below all": (
        {"CONDA_SHLVL": "1", "__CONDA_SHLVL_0_FLAVOUR": ""},
        {"CONDA_PREFIX": None, "CONDA_DEFAULT_ENV": None, "CONDA_SHLVL": "0", "FLAVOUR": "",
         "__CONDA_SHLVL_0_FLAVOUR": None, "PATH": "/bin"},
    ),
    "no level": ({}, {}),
    "level 0": ({"CONDA_SHLVL": "0", "CONDA_PREFIX_1": BASE}, {}),
    "level 65": ({"CONDA_SHLVL": "65", "CONDA_PREFIX_64": BASE}, {}),
    "no number": ({"CONDA_SHLVL": "a[$(touch hurt)]", "CONDA_PREFIX_1": BASE}, {}),
    "another prefix": ({"CONDA_SHLVL": "1", "CONDA_PREFIX": "/other"}, {}),
    "hostile texts": (
        {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": "/x/envs/$(touch hurt)", "CONDA_PROMPT_MODIFIER": "(top) "},
        {"CONDA_PREFIX": "/x/envs/$(touch hurt)", "CONDA_DEFAULT_ENV": "$(touch hurt)", "CONDA_SHLVL": "1",
         "CONDA_PROMPT_MODIFIER": "($(touch hurt)) ", "CONDA_PREFIX_1": None, "PATH": "/x/envs/$(touch hurt)/bin:/bin"},
    ),
}  # fmt: skip
"""PROTOCOL 5.1, case by case: what is set before /t is popped, and what is different after it."""


def test_popping_condas_stack_is_what_the_protocol_says(stage: Stage) -> None:
    """PROTOCOL 5.1: each case of the text, and nothing else in the environment changes."""
    shell = stage.shell(before=["shopt -s promptvars"] if stage.kind == "bash" else ())
    clean = state(shell)
    for case, (given, expected) in POPS.items():
        start = {"CONDA_PREFIX": "/t", "CONDA_DEFAULT_ENV": "t", "PATH": "/t/bin:/bin", **given}
        lines = [
            set_path(stage.kind, *value.split(":")) if name == "PATH" else export(stage.kind, name, value)
            for name, value in start.items()
        ]
        stage.liar.lie = stage.keep()
        shell.run("; ".join(lines))
        before = state(shell)
        stage.tell(shell, stage.plan("clean", "conda-pop /t"))
        after = state(shell)
        changed = {
            os.fsdecode(name): None if after.get(name) is None else os.fsdecode(after[name])
            for name in {*before, *after}
            if before.get(name) != after.get(name)
        }
        wanted = {name: value for name, value in expected.items() if start.get(name) != value}
        assert (case, changed) == (case, wanted)
        left = [unset(stage.kind, name) for name in {*start, *expected} - {"PATH"}]
        shell.run("; ".join([*left, set_path(stage.kind, *PATH.split(":"))]))
        assert state(shell) == clean
    assert not list(stage.home.rglob("hurt"))


def test_an_adopted_conda_environment_is_popped(stage: Stage) -> None:
    """PROTOCOL 5: leaving what the user activated by conda runs its scripts, pops the stack, starts no conda."""
    out = stage.script(stage.environment, "deactivate", stage.says("out $CONDA_PREFIX"))
    after = stage.script(stage.base, "activate", stage.says("base $CONDA_PREFIX"))
    stage.file(stage.base / "bin/conda", "#!/bin/sh", stage.says("conda")).chmod(0o755)
    prompt = {"zsh": "PROMPT='(app) '$PROMPT", "bash": "PS1='(app) '$PS1", "fish": "true"}[stage.kind]
    shell = stage.shell({
        **stage.on_base(), "PATH": f"{stage.environment}/bin:{PATH}", "CONDA_PREFIX": str(stage.environment),
        "CONDA_SHLVL": "2", "CONDA_PREFIX_1": str(stage.base), "CONDA_PROMPT_MODIFIER": "(app) ",
    })  # fmt: skip
    shell.run(prompt)
    shell.run("function conda; false; end" if stage.kind == "fish" else "conda() { echo called; }")
    stage.tell(shell, stage.plan("adopt", f"on-leave {out}", f"after-leave {after}", prompt="(app 3.12)", segment="1"))
    assert shell.prompt().count("app") == (0 if stage.kind == "fish" else 1), "conda shows it already"
    stage.leave(shell)
    assert stage.logged() == [f"out {stage.environment}", f"base {stage.base}"]
    env = shell.env()
    assert env[b"CONDA_PREFIX"] == os.fsencode(stage.base)
    assert env[b"CONDA_DEFAULT_ENV"] == b"base"
    assert env[b"CONDA_SHLVL"] == b"1"
    assert path(shell) == [f"{stage.base}/bin", *PATH.split(":")]
    assert "app" not in shell.prompt()
    assert stage.kind == "fish" or "(base) " in shell.prompt()


def test_an_adopted_environment_that_is_no_longer_on_top_is_forgotten(stage: Stage) -> None:
    """R21, R28: what the user put over an adopted conda environment, or popped off it, is the user's."""
    out = stage.script(stage.environment, "deactivate", stage.says("out"))
    on = {"PATH": f"{stage.environment}/bin:{PATH}", "CONDA_PREFIX": str(stage.environment), "CONDA_SHLVL": "1"}
    shell = stage.shell(on)
    stage.tell(shell, stage.plan("adopt", f"on-leave {out}"))
    stage.liar.lie = stage.plan("keep", f"on-leave {out}")
    shell.run(export(stage.kind, "CONDA_PREFIX", str(stage.base / "envs/other")))
    before = state(shell)
    stage.leave(shell)
    assert state(shell) == before
    assert stage.logged() == []


def test_cleaning_condas_leftovers_leaves_the_users_function_alone(stage: Stage) -> None:
    """R28: only what the plan names goes; `deactivate` of a venv that is on is not called for it."""
    own = stage.world.venv(stage.world.directory("tools") / "mine")
    shell = stage.shell({"CONDA_SHLVL": "2"})
    shell.run(source_activate(stage.kind, own))
    stage.tell(shell, stage.plan("clean", "drop CONDA_SHLVL"))
    assert shell.variable("CONDA_SHLVL") is None
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)


def test_r32_twenty_rounds_leave_the_shell_as_it_was(stage: Stage) -> None:
    """R32: environment, functions, aliases, options and PATH are the same after twenty rounds with scripts."""
    run = stage.script(stage.environment, "activate", export(stage.kind, "MADE", "1"), "false")
    out = stage.script(stage.environment, "deactivate", unset(stage.kind, "MADE"), "false")
    again = stage.script(stage.base, "activate", "true")
    enter = stage.plan(
        "enter", "save __CONDA_SHLVL_1_FLAVOUR=FLAVOUR", "set FLAVOUR=mint", *stage.stacking(), f"run {run}",
        f"on-leave {out}", f"after-leave {again}",
    )  # fmt: skip
    keep, leave = stage.plan("keep", f"on-leave {out}", f"after-leave {again}"), stage.plan("leave", root="")
    idle = stage.plan("keep", root="", prefix="", owner="", stamp="", state="none")

    def lie(request: list[bytes]) -> list[bytes]:
        inside = request[DIRECTORY] == os.fsencode(stage.root)
        chosen = (keep if inside else leave) if request[APPLIED] else (enter if inside else idle)
        found = chosen(request)
        assert found is not None
        assert not isinstance(found, bytes)
        return [*found]

    questions = {
        "zsh": ["alias", "setopt", "trap", "print -rl -- ${(ok)functions}", "print -r -- $PROMPT"],
        "bash": ["alias", "shopt; set -o", "trap", "declare -F", 'printf "%s\\n" "$PS1"'],
        "fish": ["alias", "functions --all --names", "set --names | string match -rv '^(CMD_DURATION|status|history)'"],
    }[stage.kind]
    shell = stage.shell({**stage.on_base(), "FLAVOUR": "own"})
    stage.liar.lie = lie
    shell.cd(stage.root)
    shell.cd(stage.home)
    before, said = state(shell), [shell.run(question) for question in questions]
    for _ in range(20):
        stage.liar.beat()
        shell.cd(stage.root)
        assert shell.variable("MADE") == b"1"
        shell.cd(stage.home)
    assert [shell.run(question) for question in questions] == said
    assert state(shell) == before
    assert before[b"FLAVOUR"] == b"own"


# --- bare interpreters ----------------------------------------------------------------------------


@pytest.fixture
def bare(stage: Stage) -> Path:
    prefix = stage.world.directory("versions/3.12.4")
    (prefix / "bin").mkdir()
    (prefix / "bin/python").symlink_to("/bin/true")
    return prefix


def test_a_bare_interpreter_is_entered_and_left(stage: Stage, bare: Path) -> None:
    """PROTOCOL 5.2: without a variable of an environment's, bin/python is the mark; with one it is none."""
    shell = stage.shell()
    before = state(shell)
    for operations in (
        ["set VIRTUAL_ENV=" + str(bare), f"path-add {bare}/bin"],
        ["set CONDA_PREFIX=" + str(bare), f"path-add {bare}/bin"],
    ):
        stage.tell(shell, stage.plan("enter", *operations, prefix=bare))
        assert state(shell) == before
    stage.tell(shell, stage.plan("enter", f"path-add {bare}/bin", prefix=bare))
    assert path(shell) == [f"{bare}/bin", *PATH.split(":")]
    shell.run("")
    stage.tell(shell, stage.plan("keep", prefix=bare))
    assert stage.asked[-1][APPLIED : DECLINED + 1] == [os.fsencode(bare), b""]
    stage.leave(shell)
    assert state(shell) == before


def test_r20_a_bare_interpreter_taken_off_path_stays_off(stage: Stage, bare: Path) -> None:
    """R20: while its bin is on PATH it is on; when the user takes it away, it stays away in this project."""
    shell = stage.shell()
    stage.tell(shell, stage.plan("enter", f"path-add {bare}/bin", prefix=bare))
    stage.liar.lie = stage.keep()
    shell.run(set_path(stage.kind, *PATH.split(":")))
    assert stage.asked[-1][APPLIED : DECLINED + 1] == [b"", os.fsencode(stage.root)]


def test_r15_a_bare_interpreter_that_is_gone_is_left_at_once(stage: Stage, bare: Path) -> None:
    """R15: without bin/python it goes at the next prompt, also when nobody answers."""
    shell = stage.shell()
    before = state(shell)
    stage.tell(shell, stage.plan("enter", f"path-add {bare}/bin", prefix=bare, witness_1=bare / "bin/python"))
    stage.liar.lie = lambda _request: None
    remove(bare)
    shell.run("")
    assert state(shell) == before
