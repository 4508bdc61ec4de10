"""install.sh in an empty home: what it changes, that it changes it once, and that it can all be undone."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.checkout import copy_checkout, succeed
from support.shells import KINDS, ShellSession

pytestmark = pytest.mark.limit(300)

TOOLS = (
    "awk bash cat chmod cksum cmp cp cut dash dirname env find grep head id ln mkdir mktemp mv readlink rm rmdir sed "
    "sh sort tail tr uname wc"
)
"""All the programs the script may need; a machine that has only bash has these."""

ODD_RC = b"# caf\xe9\nalias ll='ls -l'\nexport A=1"
"""A start-up file that is not UTF-8 and does not end in a line feed."""


class Machine:
    """A checkout, a home and a PATH of which the test decides what is on it."""

    def __init__(self, directory: Path, home: Path) -> None:
        self.home = home
        self.checkout = copy_checkout(directory / "a checkout")
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.add(*TOOLS.split())
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_FIND")}
        self.env["PATH"] = str(self.bin)
        self.env["PIP_NO_COMPILE"] = "1"  # byte code is the slow part of an installation

    def add(self, *programs: str) -> None:
        """Put programs of this machine on the PATH."""
        for program in programs:
            found = shutil.which(program)
            assert found, f"{program} is not installed"
            (self.bin / program).symlink_to(found)

    def run(self, *arguments: str, sh: str = "sh", **env: str) -> subprocess.CompletedProcess[str]:
        """Run install.sh."""
        return subprocess.run(
            [self.bin / sh, self.checkout / "install.sh", *arguments],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, *arguments: str, sh: str = "sh", **env: str) -> str:
        """Run install.sh, which has to succeed without a complaint; what it said."""
        done = self.run(*arguments, sh=sh, **env)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    def works(self) -> bool:
        """Whether the linked command starts and prints a hook."""
        command = self.home / ".local/bin/alight"
        return "alight" in succeed(command, "init", "bash", env=self.env)


@pytest.fixture
def machine(tmp_path: Path, home: Path) -> Iterator[Machine]:
    """A machine with only bash on it, and an empty home."""
    machine = Machine(tmp_path, home)
    yield machine
    if (home / ".local/share/alight").exists():  # the test failed half-way: its daemon must not stay
        machine.run("--uninstall")


def tree(directory: Path, *, times: bool = False) -> dict[str, tuple[object, ...]]:
    """Every file below a directory: mode, link target or octets, and the time of the last change if asked for."""
    found: dict[str, tuple[object, ...]] = {}
    for path in directory.rglob("*"):
        facts = path.lstat()
        content: object = None
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = path.read_bytes()
        found[str(path.relative_to(directory))] = (stat.S_IMODE(facts.st_mode), content, times and facts.st_mtime_ns)
    return found


def last_line(path: Path) -> str:
    """The last line of a file, ended as it has to be."""
    text = path.read_bytes()
    assert text.endswith(b"\n")
    return text.splitlines()[-1].decode()


def hook_line(shell: str) -> str:
    """The line a start-up file gets."""
    hook = f'"$HOME/.local/share/alight/hooks/alight.{shell}"'
    return (
        f"not test -r {hook}; or source {hook}  # alight"
        if shell == "fish"
        else f"[ ! -r {hook} ] || . {hook}  # alight"
    )


@pytest.mark.parametrize("sh", ["dash", "bash"])
def test_life_of_an_installation(sh: str, machine: Machine) -> None:
    """Only bash first, then all three shells; a second run changes nothing; uninstall leaves the home as it was."""
    home = machine.home
    (home / ".bashrc").write_bytes(ODD_RC)
    (home / ".bashrc").chmod(0o640)
    (home / ".zshrc").write_bytes(b"")
    before = tree(home)

    said = machine.install(sh=sh)
    assert "one line in  ~/.bashrc" in said
    assert "--uninstall" in said
    assert (home / ".bashrc").read_bytes() == ODD_RC + b"\n" + hook_line("bash").encode() + b"\n"
    assert stat.S_IMODE((home / ".bashrc").stat().st_mode) == 0o640
    assert (home / ".zshrc").read_bytes() == b""
    assert not (home / ".config").exists()
    assert machine.works()
    succeed(home / ".local/bin/alight", "daemon", "status", env=machine.env)

    installed = _settled(home)
    assert "nothing was changed" in machine.install(sh=sh)
    assert _settled(home) == installed

    machine.add("zsh", "fish")
    machine.install(sh=sh)
    assert (home / ".zshrc").read_text() == hook_line("zsh") + "\n"
    assert (home / ".config/fish/config.fish").read_text() == hook_line("fish") + "\n"
    assert (home / ".local/share/alight/hooks/alight.zsh.zwc").is_file()
    installed = _settled(home)
    assert "nothing was changed" in machine.install(sh=sh)
    assert _settled(home) == installed

    said = machine.install("--uninstall", sh=sh)
    for name in ("~/.bashrc", "~/.zshrc", "~/.config/fish/config.fish", "~/.local/bin/alight", "~/.local/share/alight"):
        assert f" {name}\n" in said
    assert tree(home) == before
    assert not Path(machine.env["ALIGHT_RUNTIME_DIR"]).exists()
    assert "not installed" in machine.install("--uninstall", sh=sh)


def _settled(home: Path) -> dict[str, tuple[object, ...]]:
    """The tree with times, without the daemon's own log, the directories it writes to, and byte code."""
    found = tree(home, times=True)
    return {
        name: facts
        for name, facts in found.items()
        if not name.startswith(".local/state") and "__pycache__" not in name and facts[1] is not None
    }


def test_start_up_files_keep_their_nature(machine: Machine, tmp_path: Path) -> None:
    """A linked start-up file stays a link, ZDOTDIR from .zshenv counts, lines the user added later stay."""
    home = machine.home
    machine.add("zsh")
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "bashrc").write_text("# mine\n")
    (dotfiles / "bashrc").chmod(0o600)
    (home / ".bashrc").symlink_to(dotfiles / "bashrc")
    (home / "z dot").mkdir()
    (home / ".zshenv").write_text('ZDOTDIR="$HOME/z dot"\necho noise\n')
    before, dots = tree(home), tree(dotfiles)

    machine.install()
    assert (home / ".bashrc").is_symlink()
    assert last_line(dotfiles / "bashrc") == hook_line("bash")
    assert stat.S_IMODE((dotfiles / "bashrc").stat().st_mode) == 0o600
    assert last_line(home / "z dot/.zshrc") == hook_line("zsh")
    assert not (home / ".zshrc").exists()
    with (home / "z dot/.zshrc").open("a") as file:
        file.write("# later\n")

    machine.install("--uninstall")
    assert (home / "z dot/.zshrc").read_text() == "# later\n"
    (home / "z dot/.zshrc").unlink()
    assert (tree(home), tree(dotfiles)) == (before, dots)


def test_what_is_not_ours_is_left_alone(machine: Machine) -> None:
    """--no-modify-rc leaves start-up files alone and prints the lines; a foreign ``alight`` command stays, too."""
    (machine.home / ".bashrc").write_text("# mine\n")
    other = machine.home / ".local/bin/alight"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\n")
    before = tree(machine.home)
    done = machine.run("--no-modify-rc")
    assert done.returncode == 0
    assert hook_line("bash") in done.stdout
    assert "is a program of somebody else" in done.stderr
    assert {name: facts for name, facts in tree(machine.home).items() if name in before} == before
    assert sorted(path.name for path in machine.home.iterdir()) == [".bashrc", ".local"]
    machine.install("--uninstall")
    assert tree(machine.home) == before


def test_directories_of_the_user(machine: Machine, tmp_path: Path) -> None:
    """XDG_DATA_HOME and XDG_CONFIG_HOME outside the home, with names that need quoting, work in every shell."""
    machine.add("zsh", "fish")
    share, config = tmp_path / "it's my data", tmp_path / "config"
    machine.install(XDG_DATA_HOME=str(share), XDG_CONFIG_HOME=str(config))
    hooks = share / "alight/hooks"
    for shell in KINDS:
        (hooks / f"alight.{shell}").write_text("echo the hook ran\n")
    (hooks / "alight.zsh.zwc").unlink()
    files = {"zsh": machine.home / ".zshrc", "bash": machine.home / ".bashrc", "fish": config / "fish/config.fish"}
    for shell, file in files.items():
        said = succeed(shell, *(["-f"] if shell == "zsh" else []), file, env={**machine.env, "HOME": str(tmp_path)})
        assert said == "the hook ran\n"
    machine.install("--uninstall", XDG_DATA_HOME=str(share), XDG_CONFIG_HOME=str(config))
    assert tree(machine.home) == {}
    assert not share.exists()


def test_upgrade_and_repair(machine: Machine) -> None:
    """A failed upgrade changes nothing, a good one replaces environment and hooks, and running it again repairs."""
    machine.install()
    data, launcher = machine.home / ".local/share/alight", machine.home / ".local/bin/alight"
    installed = _settled(machine.home)
    (machine.checkout / "shell/guard.bash").write_text("# the next version\n")
    done = machine.run(PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert _settled(machine.home) == installed
    assert machine.works()

    machine.install()
    assert (data / "hooks/alight.bash").read_text().endswith("# the next version\n")
    assert sorted(path.name for path in data.glob("env*")) == ["env", "env-2"]

    (package,) = data.glob("env-2/lib/python3*/site-packages/msgspec")
    shutil.rmtree(package)
    (data / "hooks/alight.fish").unlink()
    launcher.unlink()
    said = machine.install()
    for what in ("env-1", "alight.fish", "~/.local/bin/alight"):
        assert what in said
    assert machine.works()
    assert "nothing was changed" in machine.install()
    machine.install("--uninstall")
    assert tree(machine.home) == {}


@pytest.mark.parametrize(
    "index", [{"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}, {"PIP_NO_INDEX": "1"}], ids=["closed port", "no index"]
)
def test_without_network_nothing_is_left(index: dict[str, str], machine: Machine) -> None:
    """If pip cannot get what it needs, one sentence says so and the home is as it was."""
    (machine.home / ".bashrc").write_bytes(ODD_RC)
    before = tree(machine.home)
    done = machine.run(PIP_CONFIG_FILE=os.devnull, PIP_CACHE_DIR=str(machine.bin / "cache"), **index)
    assert done.returncode == 1
    assert "alight: pip could not install alight and what it needs; nothing was changed\n" in done.stderr
    assert tree(machine.home) == before


@pytest.mark.parametrize("sh", ["dash", "bash"])
def test_without_python_nothing_is_left(sh: str, machine: Machine) -> None:
    """Without a suitable Python it fails at once, says what to install, names what it refused, and leaves nothing."""
    script = machine.checkout / "install.sh"
    script.write_text(script.read_text().replace("/usr/", "/nowhere/").replace("/opt/", "/nowhere/"))
    done = machine.run(sh=sh, PYENV_ROOT="/nowhere")
    assert done.returncode == 1
    assert "no suitable Python found; nothing was changed" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr
    old = machine.bin / "python3"
    old.write_text("#!/bin/sh\necho 'is Python 3.9; alight needs 3.11 or newer' >&2\nexit 1\n")
    old.chmod(0o755)
    done = machine.run(sh=sh, PYENV_ROOT="/nowhere")
    assert f"{old} is Python 3.9" in done.stderr
    done = machine.run("--python", str(old), sh=sh)
    assert done.stderr == f"alight: {old} is Python 3.9; alight needs 3.11 or newer\n"
    assert tree(machine.home) == {}


def test_python_of_an_environment_is_refused(machine: Machine, tmp_path: Path) -> None:
    """A Python inside an environment may go away with it; it is refused by name."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or shutil.which("python3")
    assert python
    succeed(python, "-m", "venv", "--without-pip", tmp_path / "venv")
    done = machine.run("--python", str(tmp_path / "venv/bin/python"))
    assert done.returncode == 1
    assert "belongs to an environment" in done.stderr


def test_usage(machine: Machine) -> None:
    """--help explains on standard output; an unknown argument is a usage error and changes nothing."""
    assert "--no-modify-rc" in machine.install("--help")
    done = machine.run("--frobnicate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown argument: --frobnicate" in done.stderr
    done = machine.run(HOME="")
    assert (done.returncode, done.stderr) == (1, "alight: HOME is not set to an absolute path\n")
    assert tree(machine.home) == {}


def test_open_shells_stay_silent_after_uninstall(machine: Machine, tmp_path: Path) -> None:
    """Shells that were open while alight was removed say nothing at their prompts, here or in another directory."""
    machine.add("zsh", "fish")
    machine.install()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    own = {"zsh": ['. "$HOME/.zshrc"'], "bash": ['. "$HOME/.bashrc"'], "fish": []}  # fish reads its own by itself
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(ShellSession(kind, machine.home, rc_lines=own[kind])) for kind in KINDS]
        for session in sessions:
            assert session.startup == ""
            assert "function" in session.run("type alight | head -n 1")
        machine.install("--uninstall")
        for session in sessions:
            assert session.run("") == ""
            assert session.cd(elsewhere) == ""
            assert session.cd(tmp_path) == ""
            assert session.run("true") == ""
