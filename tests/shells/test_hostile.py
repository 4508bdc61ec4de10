"""What strangers plant in a folder, and what a lying daemon says: nothing of it runs, nothing of it shows."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from support.liar import PLAN, Liar, Lie, answer, lying
from support.shells import ShellSession
from support.world import World

MARKER = "executed"


class Trap:
    """A file that must never come into being, and ways to make it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.file = world.home.parent / f"{MARKER}-{world.home.name}"
        self.touch = f"/usr/bin/touch {self.file}"

    def script(self, path: Path, text: str | None = None) -> None:
        """An executable that makes it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text if text is not None else f"#!/bin/sh\n{self.touch}\nexit 0\n")
        path.chmod(0o755)

    def python(self) -> str:
        """The same for what Python would import."""
        return f"import os; os.system({self.touch!r})\n"

    def sprung(self) -> bool:
        """True when something made it, here or wherever a relative command would have."""
        return self.file.exists() or bool(list(self.world.home.rglob(MARKER)))


@pytest.fixture
def trap(world: World) -> Trap:
    return Trap(world)


def site_packages(root: Path) -> Path:
    return next((root / ".venv/lib").glob("python*")) / "site-packages"


def plant_activate(root: Path, trap: Trap) -> None:
    for name in ("activate", "activate.fish", "activate.csh", "Activate.ps1"):
        trap.script(root / ".venv/bin" / name, f"{trap.touch}\n")


def plant_binaries(*names: str) -> Callable[[Path, Trap], None]:
    def plant(root: Path, trap: Trap) -> None:
        for name in names:
            trap.script(root / ".venv/bin" / name)
            trap.script(root / name)

    return plant


def plant_site(name: str) -> Callable[[Path, Trap], None]:
    def plant(root: Path, trap: Trap) -> None:
        for place in (site_packages(root), root):
            (place / name).write_text(trap.python())

    return plant


def plant_project(root: Path, trap: Trap) -> None:
    text = trap.python()
    (root / "plugin.py").write_text(text)
    (root / "setup.py").write_text(text)
    (root / "pyproject.toml").write_text(
        "[project]\nname = 'x'\nversion = '1'\nrequires-python = '>=3'\n"
        "[build-system]\nrequires = []\nbuild-backend = 'plugin'\nbackend-path = ['.']\n"
        "[tool.poetry]\nplugins = {x = '*'}\n[tool.poetry.requires-plugins]\nx = {path = '.'}\n"
        f"[tool.alight]\nhook = '{trap.touch}'\n[tool.uv]\nindex-url = 'file:///'\n"
        f"[tool.pdm.scripts]\npost_lock = '{trap.touch}'\n"
    )
    (root / "uv.toml").write_text("python-downloads = 'automatic'\n")
    (root / "config.toml").write_text(f"[guard]\nmode = '{trap.touch}'\n")
    (root / "poetry.toml").write_text("[virtualenvs]\nin-project = true\n")


def plant_envrc(root: Path, trap: Trap) -> None:
    for name in (".envrc", ".env", ".autoenv", ".in", "mise.toml", ".python-version"):
        (root / name).write_text(f"$({trap.touch})\n{trap.touch}\n")


def plant_pointer(root: Path, trap: Trap) -> None:
    evil = root / "evil"
    (root / ".venv").rename(evil)
    plant_activate(root, trap) if (root / ".venv").exists() else None
    trap.script(evil / "bin/activate", f"{trap.touch}\n")
    trap.script(evil / "bin/python")
    (root / ".venv").write_text(f"{evil}\n$({trap.touch})\n")
    (root / ".python-envs").write_text(f"{evil}\n`{trap.touch}`\n")


def plant_git(root: Path, trap: Trap) -> None:
    git = root / ".git"
    (git / "hooks").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/$(touch executed)\n")
    (git / "config").write_text(
        f"[core]\n\tfsmonitor = {trap.touch}\n\tpager = {trap.touch}\n\tsshCommand = {trap.touch}\n"
    )
    trap.script(git / "hooks/post-checkout")
    trap.script(root / ".venv/bin/git")


def plant_prompt(text: str) -> Callable[[Path, Trap], None]:
    def plant(root: Path, trap: Trap) -> None:
        config = root / ".venv/pyvenv.cfg"
        hostile = text.replace("TOUCH", trap.touch)
        config.write_text(f"{config.read_text()}prompt = {hostile}\nversion = 3.12.1{hostile}\n")

    return plant


PROMPTS = {
    "substitution": "$(TOUCH)",
    "backticks": "`TOUCH`",
    "escaped": "\\$(TOUCH) \\\\$(TOUCH) \\`TOUCH\\`",
    "zsh-flags": "%{%F{red}%}${(e):-$(TOUCH)} %(!.$(TOUCH).) %1v",
    "bash-escapes": "\\w \\$(TOUCH) \\[\\e[31m\\] \\D{$(TOUCH)}",
    "fish": "(TOUCH) {a,b} $status",
    "terminal": "\x1b[31m\x1b]0;owned\x07\x9b31m\x1b[6n\r\x08",
    "bidi": "\u202eexe\u2066\u200b",
    "quotes": "';TOUCH;' \";TOUCH;\" |TOUCH& \n",
}

PLANTS: Mapping[str, Callable[[Path, Trap], None]] = {
    "activate": plant_activate,
    "python": plant_binaries("python", "python3"),
    "pip": plant_binaries("pip", "pip3"),
    "git": plant_git,
    "core-commands": plant_binaries("ls", "cat", "sed", "touch", "env", "id", "stat", "readlink", "uname", "alight"),
    "sitecustomize": plant_site("sitecustomize.py"),
    "usercustomize": plant_site("usercustomize.py"),
    "pth": plant_site("evil.pth"),
    "shadowing-modules": plant_site("os.py"),
    "project": plant_project,
    "envrc": plant_envrc,
    "pointer": plant_pointer,
    **{f"prompt-{name}": plant_prompt(text) for name, text in PROMPTS.items()},
}

RAW = re.compile(r"\x1b\[6n|\x1b\]0;|\x9b|\u202e|\u2066|\u200b")


def walk(shell: ShellSession, root: Path) -> str:
    """Everything a person does in a folder before deciding; what was displayed."""
    said = [shell.cd(root), shell.run("")]
    said += [shell.run(f"alight {words}") for words in ("env", "why", "status", "env --json", "envs")]
    said += [shell.run(""), shell.cd(root / "src"), shell.cd(root.parent)]
    return "".join(said) + shell.screen()


@pytest.mark.parametrize("plant", PLANTS)
def test_nothing_in_an_untrusted_folder_runs(world: World, kind: str, trap: Trap, plant: str) -> None:
    """Marker files: on cd, at the prompt and in the commands that look, nothing planted runs or reaches the screen."""
    root = world.project("clone")
    (root / "src").mkdir()
    PLANTS[plant](root, trap)
    shell = world.shell(kind)
    path = shell.env()[b"PATH"]
    said = walk(shell, root)
    assert not trap.sprung()
    assert not RAW.search(said)
    shell.cd(root)
    after = shell.env()
    assert b"VIRTUAL_ENV" not in after
    assert after[b"PATH"] == path
    assert shell.run("echo alive").strip() == "alive"
    assert not trap.sprung()


NAMES = {
    "substitution": "$(touch executed)",
    "backticks": "`touch executed`",
    "zsh-flags": "%F{red}%{$(touch executed)%}",
    "quotes": "';touch executed;'\";touch executed;\"",
    "braces": "{a,b}(touch executed)&|;<>",
    "index": "a[$(touch executed)]",
    "terminal": "\x1b]0;owned\x07\x1b[6n",
    "newline": "x\ntouch executed\n",
    "separators": "x\x1fend\x1eplan\x1f",
}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_a_folders_name_runs(world: World, kind: str, trap: Trap, name: str) -> None:
    """The same for what the folder is called, before and after it was allowed; leaving undoes everything."""
    root = world.project(os.fsencode(NAMES[name]))
    (root / "src").mkdir()
    shell = world.shell(kind)
    path = shell.env()[b"PATH"]
    said = walk(shell, root)
    world.alight("allow", os.fsencode(root), code=None)
    said += walk(shell, root)
    assert not trap.sprung()
    assert not RAW.search(said)
    shell.cd(world.home)
    assert shell.env()[b"PATH"] == path
    assert shell.run("echo alive").strip() == "alive"


@pytest.mark.parametrize("name", PROMPTS)
def test_nothing_in_a_trusted_prompt_runs(world: World, kind: str, trap: Trap, name: str) -> None:
    """An environment's own name is data also when it is on, in the prompt and in VIRTUAL_ENV_PROMPT."""
    root = world.project("clone")
    (root / "src").mkdir()
    PLANTS[f"prompt-{name}"](root, trap)
    world.alight("allow", str(root))
    shell = world.shell(kind)
    said = walk(shell, root)
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    said += shell.screen()
    assert not trap.sprung()
    assert not RAW.search(said)


# --- a daemon that lies ---------------------------------------------------------------------------


class Scene:
    """A shell that believes in a liar, a real environment with a real stamp, and what a plan about it says."""

    def __init__(self, world: World, kind: str, trap: Trap, liar: Liar) -> None:
        self.liar, self.trap = liar, trap
        self.root = world.project("app")
        self.prefix = self.root / ".venv"
        self.stamp = world.home / ".local/share/alight/trust" / ("a" * 64 + ".json")
        self.stamp.parent.mkdir(mode=0o700, parents=True)
        self.stamp.touch(mode=0o600)
        self.evil = world.directory("evil")
        trap.script(self.evil / "bin/git")
        trap.script(self.evil / "run.sh", f"{trap.touch}\n")
        conda = self.prefix / "etc/conda/activate.d"
        conda.mkdir(parents=True)
        (conda / "link.sh").symlink_to(self.evil / "run.sh")
        trap.script(conda / "open.sh", f"{trap.touch}\n")
        (conda / "open.sh").chmod(0o777)
        (world.home / "nobin").mkdir()
        (world.home / "nobin/pyvenv.cfg").touch()
        (world.home / "nocfg/bin").mkdir(parents=True)
        self.home = world.home
        self.shell = world.shell(kind, self.root, env={"ALIGHT_DEADLINE": "0.5"}, daemon=False)
        self.baseline = self.state()

    def state(self) -> dict[bytes, bytes]:
        """The environment, without what displays and counters legitimately change."""
        env = self.shell.env()
        return {
            name: value
            for name, value in env.items()
            if not name.startswith(b"ALIGHT_") and name not in (b"_", b"SHLVL")
        }

    def fields(self, **changed: bytes) -> list[bytes]:
        """An honest plan to enter, with some fields changed."""
        honest = {
            "action": b"enter",
            "root": os.fsencode(self.root),
            "prefix": os.fsencode(self.prefix),
            "owner": b"alight",
            "stamp": os.fsencode(self.stamp),
            "state": b"active",
            "segment": b"1",
            "generation": os.fsencode(self.liar.runtime / "generation"),
            "mark": b"m1",
        }
        return [{**honest, **changed}.get(name, b"") for name in PLAN]

    def operations(self) -> list[bytes]:
        """The honest ones."""
        prefix = os.fsencode(self.prefix)
        return [b"set VIRTUAL_ENV=" + prefix, b"path-add " + prefix + b"/bin"]

    def tell(self, lie: Lie) -> str:
        """Have the shell ask, and answer with the lie; what was displayed. The shell has to have asked."""
        self.liar.beat()
        self.liar.lie = lie
        before = self.liar.asked
        said = self.shell.run("alight on")
        assert self.liar.asked > before, f"the shell did not ask\n{self.shell.screen()[-1500:]}"
        return said

    def plan(self, *operations: bytes, **changed: bytes) -> Lie:
        """The lie that is this plan."""
        return lambda request: answer(request, b"plan", *self.fields(**changed), *operations)

    def verdict(self, name: str, lie: Lie) -> list[str]:
        """What is wrong after that lie; the shell is brought back to the beginning."""
        said = self.tell(lie)
        found = [f"{name}: the marker exists"] if self.trap.sprung() else []
        if "\x1b" in said or "\x07" in said:
            found.append(f"{name}: displayed {said!r}")
        now = self.state()
        if now != self.baseline:
            changed = {key: now.get(key) for key in {*now, *self.baseline} if now.get(key) != self.baseline.get(key)}
            found.append(f"{name}: changed {changed}")
            self.tell(self.plan(action=b"leave", prefix=b"", stamp=b"", owner=b"", state=b"none"))
            self.baseline = self.state()
        self.trap.file.unlink(missing_ok=True)
        return found


FORBIDDEN = (
    b"PATH", b"PS1", b"IFS", b"ENV", b"BASH_ENV", b"ZDOTDIR", b"PROMPT_COMMAND", b"LD_PRELOAD", b"LD_LIBRARY_PATH",
    b"DYLD_INSERT_LIBRARIES", b"", b"1x", b"x y", b"x-y", b"x\ny", "é".encode(), b"X\xff", b"__alight_runtime",
)  # fmt: skip
"""Names that no plan may set or unset in any shell: dangerous ones, ill-formed ones, the hook's own."""

SPECIAL = {
    "zsh": (b"path", b"fpath", b"FPATH", b"PROMPT", b"RPROMPT", b"PS4", b"precmd_functions", b"functions", b"options"),
    "bash": (b"PS0", b"PS4", b"BASH_FUNC_x", b"SHELLOPTS", b"UID", b"RANDOM"),
    "fish": (b"fish_user_paths", b"fish_function_path", b"PWD", b"argv", b"status"),
}
"""Names that a shell itself acts upon."""


def operations_that_lie(scene: Scene) -> dict[str, bytes]:
    touch, evil, prefix = os.fsencode(scene.trap.touch), os.fsencode(scene.evil), os.fsencode(scene.prefix)
    names = [
        b"a[$(" + touch + b")]",
        b"x`" + touch + b"`",
        b"$(" + touch + b")",
        *FORBIDDEN,
        *SPECIAL[scene.shell.kind],
    ]
    lies = {
        f"{verb.decode()} {name!r}": verb + b" " + name + tail
        for name in names
        for verb, tail in ((b"set", b"=" + touch), (b"unset", b""), (b"drop", b""))
    }
    return lies | {
        "set without value": b"set X",
        "path-add relative": b"path-add evil/bin",
        "path-add empty": b"path-add ",
        "path-add colon": b"path-add " + evil + b":" + evil,
        "path-add elsewhere": b"path-add " + evil + b"/bin",
        "path-add outward": b"path-add " + prefix + b"/../../evil/bin",
        "path-remove relative": b"path-remove bin",
        "run elsewhere": b"run " + evil + b"/run.sh",
        "run outward": b"run " + prefix + b"/etc/conda/activate.d/../../../../../evil/run.sh",
        "unknown verb": b"eval " + touch,
        "substitution": b"$(" + touch + b")",
        "empty": b"",
        "upper case": b"SET X=1",
        "no space": b"set",
    }


def test_operations_of_a_liar(world: World, kind: str, trap: Trap, runtime_directory: Path) -> None:
    """One bad operation, and nothing of the plan is applied, also not the honest ones before it."""
    with lying(runtime_directory) as liar:
        scene = Scene(world, kind, trap, liar)
        wrong: list[str] = []
        for name, operation in operations_that_lie(scene).items():
            wrong += scene.verdict(name, scene.plan(b"set X=1", *scene.operations(), operation))
        scene.tell(scene.plan(*scene.operations()))
        assert scene.shell.variable("VIRTUAL_ENV") == os.fsencode(scene.prefix), "the honest plan is taken"
        scene.shell.close()
    assert not wrong, "\n".join(wrong)


def fields_that_lie(scene: Scene) -> dict[str, Lie]:
    operations = scene.operations()
    stamps = scene.stamp.parent
    (stamps / ("b" * 64 + ".json")).symlink_to(scene.stamp)
    (stamps / ("c" * 64 + ".json")).mkdir()
    foreign = stamps / ("d" * 64 + ".json")
    foreign.touch(mode=0o600)
    other = scene.home / "other"
    (other / "bin").mkdir(parents=True)
    (other / "pyvenv.cfg").touch()
    if os.geteuid() == 0:
        os.chown(foreign, 4242, 4242)
        os.chown(other / "pyvenv.cfg", 4242, 4242)
    else:  # only root can give files away; what is not there is refused by the same test
        foreign.unlink()
        (other / "pyvenv.cfg").unlink()

    def path(*parts: str) -> bytes:
        return os.fsencode(scene.home.joinpath(*parts))

    changes: dict[str, dict[str, bytes]] = {
        "unknown action": {"action": b"exec"},
        "no action": {"action": b""},
        "relative root": {"root": b"app"},
        "relative prefix": {"prefix": b".venv"},
        "empty prefix": {"prefix": b""},
        "colon in prefix": {"prefix": os.fsencode(scene.prefix) + b":/x"},
        "prefix without bin": {"prefix": path("nobin")},
        "prefix without configuration": {"prefix": path("nocfg")},
        "prefix that is not there": {"prefix": b"/nonexistent"},
        "prefix of another user": {"prefix": path("other")},
        "no stamp": {"stamp": b""},
        "stamp that is not there": {"stamp": os.fsencode(stamps / ("e" * 64 + ".json"))},
        "stamp that is a link": {"stamp": os.fsencode(stamps / ("b" * 64 + ".json"))},
        "stamp that is a directory": {"stamp": os.fsencode(stamps / ("c" * 64 + ".json"))},
        "stamp of another user": {"stamp": os.fsencode(foreign)},
        "stamp elsewhere": {"stamp": os.fsencode(scene.prefix / "pyvenv.cfg")},
        "stamp with another name": {"stamp": os.fsencode(stamps / "x.json")},
        "relative stamp": {"stamp": b"alight/trust/" + b"a" * 64 + b".json"},
        "generation elsewhere": {"generation": os.fsencode(scene.evil / "run.sh")},
        "relative generation": {"generation": b"generation"},
    }
    lies = {name: scene.plan(*operations, **changed) for name, changed in changes.items()}
    for folder in ("nobin", "nocfg", "other"):
        ours = [b"set VIRTUAL_ENV=" + path(folder), b"path-add " + path(folder, "bin")]
        lies[f"{folder} with operations to match"] = scene.plan(*ours[: 1 + (folder != "nobin")], prefix=path(folder))
    for action in (b"keep", b"leave", b"clean", b"adopt"):
        for operation in (b"path-add " + os.fsencode(scene.evil / "bin"), b"set EVIL=1", operations[1]):
            name = f"{action.decode()} with {operation.split()[0].decode()}"
            changed = {"action": action, "prefix": b"", "stamp": b""}
            lies[f"{name} {operation[-12:]!r}"] = scene.plan(operation, **changed)
    return lies


def test_fields_of_a_liar(world: World, kind: str, trap: Trap, runtime_directory: Path) -> None:
    """The hook itself re-tests prefix and stamp, and only entering adds anything."""
    with lying(runtime_directory) as liar:
        scene = Scene(world, kind, trap, liar)
        wrong: list[str] = []
        for name, lie in fields_that_lie(scene).items():
            wrong += scene.verdict(name, lie)
        scene.shell.close()
    assert not wrong, "\n".join(wrong)


def messages_that_lie(scene: Scene) -> dict[str, Lie]:
    def honest(request: list[bytes]) -> list[bytes]:
        return answer(request, b"plan", *scene.fields(), *scene.operations())

    def replaced(position: int, value: bytes) -> Lie:
        return lambda request: [*honest(request)[:position], value, *honest(request)[position + 1 :]]

    return {
        "too few fields": lambda request: honest(request)[:20],
        "header only": lambda request: honest(request)[:7],
        "nothing but protocol": lambda _request: [b"1"],
        "one empty frame": lambda _request: [b""],
        "other protocol": replaced(0, b"2"),
        "other directory": replaced(5, b"/"),
        "other verb": replaced(6, b"plan2"),
        "failure": lambda request: answer(request, b"failure", b"internal", b"\x1b[31mboo"),
        "too many frames": lambda request: honest(request) + [b"set X=1"] * 97,
        "a frame too large": lambda request: [*honest(request), b"set X=" + b"x" * 70_000],
        "a message too large": lambda request: [*honest(request), *[b"set X=" + b"x" * 16_000] * 5],
        "an endless frame": lambda _request: b"\x03" + (2**62).to_bytes(8, "big") + b"x" * 1000,
        "reserved flags": lambda _request: b"\xff\x01x",
        "a command without end": lambda _request: b"\x05\x01x",
        "rubbish": lambda _request: bytes(range(256)) * 16,
        "text": lambda _request: b"HTTP/1.1 200 OK\r\n\r\n$(touch executed)\n",
        "half of it": lambda request: b"\x01\x011\x01\x05" + request[2][:2],
        "other id": replaced(2, b"0"),
        "silence": lambda _request: None,
    }


def test_messages_of_a_liar(world: World, kind: str, trap: Trap, runtime_directory: Path) -> None:
    """Cut, swollen, foreign and silent replies are dropped within the deadline, and the next good one is taken."""
    with lying(runtime_directory) as liar:
        scene = Scene(world, kind, trap, liar)
        wrong: list[str] = []
        for name, lie in messages_that_lie(scene).items():
            wrong += scene.verdict(name, lie)
        scene.tell(scene.plan(*scene.operations()))
        assert scene.shell.variable("VIRTUAL_ENV") == os.fsencode(scene.prefix), "the honest plan is taken"
        scene.shell.close()
    assert not wrong, "\n".join(wrong)


def test_text_of_a_liar(world: World, kind: str, trap: Trap, runtime_directory: Path) -> None:
    """Display fields, notices and values are data: never expanded, never raw on the terminal."""
    texts = [text.replace("TOUCH", trap.touch).encode() for text in PROMPTS.values()]
    texts += [
        b"$(" + trap.touch.encode() + b")\x1fend",
        b"a\0b$(" + trap.touch.encode() + b")",
        b"\xff\xfe",
        b"x" * 8000,
    ]
    with lying(runtime_directory) as liar:
        scene = Scene(world, kind, trap, liar)
        wrong: list[str] = []
        for number, text in enumerate(texts):
            shown = dict.fromkeys(
                ("name", "kind", "python_version", "prompt", "notice", "state", "owner", "mark", "witness_1"), text
            )
            keep = scene.plan(action=b"keep", prefix=b"", stamp=b"", **shown)
            wrong += scene.verdict(f"text {number}", keep)
            scene.tell(scene.plan(*scene.operations(), b"set VALUE=" + text))
            scene.shell.run("")
            scene.tell(scene.plan(action=b"leave", prefix=b"", stamp=b"", owner=b"", state=b"none"))
            if scene.state() != scene.baseline:
                wrong.append(f"value {number}: left {set(scene.state().items()) ^ set(scene.baseline.items())}")
            if trap.sprung():
                wrong.append(f"value {number}: the marker exists")
        assert scene.shell.run("echo alive").strip() == "alive"
        scene.shell.close()
    assert not wrong, "\n".join(wrong)


def test_files_to_run_are_the_environments_own(world: World, kind: str, trap: Trap, runtime_directory: Path) -> None:
    """A link, or a file that others can write, in the right folder is not run."""
    with lying(runtime_directory) as liar:
        scene = Scene(world, kind, trap, liar)
        for name in ("link.sh", "open.sh", "absent.sh"):
            file = os.fsencode(scene.prefix / "etc/conda/activate.d" / name)
            scene.tell(scene.plan(*scene.operations(), b"run " + file))
            scene.shell.run("")
            assert not trap.sprung(), name
        scene.shell.close()


@pytest.mark.parametrize("swap", ["bin", "pyvenv.cfg", "stamp"])
def test_a_swap_between_reply_and_application(
    world: World, kind: str, trap: Trap, runtime_directory: Path, swap: str
) -> None:
    """What the daemon saw and the shell no longer finds is not entered."""
    with lying(runtime_directory) as liar:
        scene = Scene(world, kind, trap, liar)
        honest = scene.plan(*scene.operations())
        target = scene.stamp if swap == "stamp" else scene.prefix / swap

        def swapped(request: list[bytes]) -> bytes | list[bytes] | None:
            if target.exists():
                target.rename(target.with_name("swapped"))
            reply = honest(request)
            return reply if reply is None or isinstance(reply, bytes) else [*reply]

        assert scene.verdict(swap, swapped) == []
        scene.shell.close()


@pytest.mark.parametrize("fault", ["open", "link"])
def test_a_runtime_directory_of_another_user(
    world: World, kind: str, trap: Trap, runtime_directory: Path, fault: str
) -> None:
    """Two users: a socket in a directory that is a link, or is not ours, is not spoken to."""
    target = runtime_directory.with_name("real")
    with lying(target) as liar:
        if fault == "link" or os.geteuid() != 0:
            runtime_directory.symlink_to(target)
        else:
            target.rename(runtime_directory)
            os.chown(runtime_directory, 4242, 4242)
        env = {"ALIGHT_DEADLINE": "0.5"}
        shell = world.shell(kind, world.project("app"), env=env, daemon=False)
        shell.run("alight on")
        shell.run("")
        assert liar.asked == 0
        assert shell.variable("VIRTUAL_ENV") is None
        shell.close()
        if not runtime_directory.is_symlink():
            runtime_directory.rename(target)
    assert stat.S_ISDIR(os.stat(target).st_mode)
