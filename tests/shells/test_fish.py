"""What is particular to fish: scopes, lists, the prompt function, command substitutions, and plans that lie."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from alight import query
from alight.model import Stamp
from alight.wire import shellframe
from alight.wire.messages import Ask, Done, Header, Note, Plan, ShellReply, ShellRequest
from support import rawserver
from support.checkout import ROOT
from support.shells import ShellSession, executable, quote
from support.world import PATH, World, source_activate

HOOK = ROOT / "shell/alight.fish"

UNSTEADY = ("SHLVL", "_", "PWD", "OLDPWD")


class Scripted:
    """A daemon that answers as a test says and remembers what it was asked."""

    def __init__(self, runtime: Path) -> None:
        self.runtime = runtime
        self.requests: list[ShellRequest] = []
        self.plan = keep(runtime)

    def asked(self) -> list[Ask]:
        """The questions so far."""
        return [request for request in self.requests if isinstance(request, Ask)]

    def noted(self) -> list[bytes]:
        """The lines it was told."""
        return [request.line for request in self.requests if isinstance(request, Note)]

    def serve(self, peer: socket.socket) -> None:
        """One exchange."""
        rawserver._exactly(peer, len(query.GREETING + query.READY))
        peer.sendall(rawserver.GREETING + rawserver.READY)
        frames = rawserver.read_request(peer)
        identifier, request = shellframe.decode_request(frames)
        self.requests.append(request)  # type: ignore[arg-type]  # what a shell sends is one of these
        reply: ShellReply = self.plan if isinstance(request, Ask) else Done()
        header = Header("0", identifier, Stamp("e", 1), frames[5])
        peer.sendall(query.encode(shellframe.encode_reply(header, reply)))


def keep(runtime: Path) -> Plan:
    """The plan that changes nothing."""
    return Plan(
        action="keep",
        root=b"",
        prefix=b"",
        owner="",
        stamp=b"",
        state="none",
        name="",
        kind="",
        python_version="",
        prompt="",
        segment=True,
        notice="",
        generation=os.fsencode(runtime / "generation"),
        mark="m1",
        witness_1=b"",
        witness_2=b"",
        witness_3=b"",
        witness_4=b"",
    )


@pytest.fixture
def scripted(runtime_directory: Path) -> Iterator[Scripted]:
    """The scripted daemon of this test."""
    runtime_directory.mkdir(mode=0o700)
    (runtime_directory / "generation").write_text("m1\n")
    daemon = Scripted(runtime_directory)
    with rawserver.raw_server(runtime_directory, daemon.serve):
        yield daemon


@contextmanager
def fish(
    world: World, cwd: Path | None = None, env: Mapping[str, str] | None = None, *lines: str, daemon: bool = True
) -> Iterator[ShellSession]:
    """A fish with the hook after these start-up lines."""
    with world.shell("fish", cwd, env, before=lines, daemon=daemon) as shell:
        yield shell


def state(shell: ShellSession) -> dict[bytes, bytes]:
    """The environment of a child, without what differs between any two commands."""
    return {name: value for name, value in shell.env().items() if name.decode() not in UNSTEADY}


def functions(shell: ShellSession) -> set[str]:
    """Names of the functions that are the user's to see."""
    return {name for name in shell.run("functions --all --names").split() if not name.startswith(("_", "fish_"))}


def prompts(shell: ShellSession) -> str:
    """A start of a ``fish_prompt`` of the user's own, with the mark the harness waits for."""
    mark = shell._mark("B").decode().replace("\x1b", "\\e").replace("\a", "\\a")
    return f"printf '{mark}'"


@pytest.mark.parametrize("where", ["asked", "unasked"])
def test_status_and_pipestatus_are_the_commands(world: World, where: str) -> None:
    """R36: `$status` and `$pipestatus` survive the hook and its segment, for the next command and for the prompt."""
    root = world.trusted("app")
    line = "function fish_prompt; printf '%s/' $status $pipestatus; end"
    with fish(world, world.home if where == "asked" else root, None, line) as shell:
        change = f"cd {quote('fish', os.fsencode(root))}; " if where == "asked" else ""
        shell.run(f"{change}false | true | sh -c 'exit 7'")
        assert re.fullmatch(r"\(app [0-9.]+\) 7/1/0/7/", shell.prompt())
        assert shell.run("printf '%s ' $status $pipestatus") == "7 1 0 7 "
        shell.run("true")
        assert re.fullmatch(r"\(app [0-9.]+\) 0/0/", shell.prompt())


def test_a_started_daemon_is_no_job_of_the_shell(world: World) -> None:
    """`$last_pid`, `jobs` and the screen know nothing of the daemon that the hook starts."""
    with fish(world, None, None, "command sleep 1000 &", "set -g mine $last_pid", daemon=False) as shell:
        assert shell.startup == ""
        assert shell.run("test $last_pid = $mine; and echo same") == "same\n"
        assert shell.run("jobs --pid | string match --invert $mine | string match --regex '\\d+'") == ""
        shell.run("kill $mine; wait")


def test_command_substitutions_change_nothing(world: World) -> None:
    """R39: neither a `cd` in a substitution nor our own handler called there activates anything."""
    root = quote("fish", os.fsencode(world.trusted("app")))
    with fish(world) as shell:
        assert shell.run(f'echo (cd {root}; __alight_on_prompt; echo "v=$VIRTUAL_ENV"; cd $HOME)') == "v=\n"
        assert shell.variable("VIRTUAL_ENV") is None


def test_universal_variables_are_never_touched(world: World) -> None:
    """A universal variable is hidden while we are on, is back afterwards, and other shells never see a change."""
    root = world.trusted("app")
    with fish(world, None, None, "set -Ux PYTHONHOME /usr", "set -U VIRTUAL_ENV_PROMPT mine") as shell:
        before = shell.run("set --show PYTHONHOME VIRTUAL_ENV_PROMPT")
        shell.cd(root)
        inside = shell.env()
        assert not inside.get(b"PYTHONHOME")
        assert inside[b"VIRTUAL_ENV_PROMPT"] != b"mine"
        shell.cd(world.home)
        assert shell.env()[b"PYTHONHOME"] == b"/usr"
        assert shell.run("set --show PYTHONHOME VIRTUAL_ENV_PROMPT") == before


def test_scope_export_and_lists_come_back(world: World) -> None:
    """R31: unexported, empty and list-valued globals are afterwards what they were, element by element."""
    root = world.trusted("app")
    lines = ["set -g VIRTUAL_ENV_PROMPT 'a b' c", "set -gx PYTHONHOME /usr:/usr", "set -g PKG_CONFIG_PATH /a /b"]
    with fish(world, None, None, *lines) as shell:
        show = "set --show VIRTUAL_ENV_PROMPT PYTHONHOME PKG_CONFIG_PATH VIRTUAL_ENV"
        before = shell.run(show)
        shell.cd(root)
        assert shell.run(show) != before
        shell.cd(world.home)
        assert shell.run(show) == before


def test_path_is_edited_by_element(world: World) -> None:
    """R30: one element in front without de-duplication; leaving takes the first equal one, whatever the user added."""
    root = world.trusted("app")
    own, first, last = f"{root}/.venv/bin", "/opt/first", "/opt/last"
    start = f"{own}:/usr/bin:/usr/bin:{PATH}"
    with fish(world, None, {"PATH": start}) as shell:
        shell.cd(root)
        assert shell.env()[b"PATH"].decode() == f"{own}:{start}"
        shell.run(f"set -gx PATH {first} $PATH {last}")
        shell.cd(world.home)
        assert shell.env()[b"PATH"].decode() == f"{first}:{start}:{last}"


def test_fifty_rounds_leave_nothing(world: World) -> None:
    """R32: environment, functions and prompt are after many rounds what they were, by cd and by hand."""
    root = world.trusted("app")
    with fish(world) as shell:
        shell.cd(root)
        shell.cd(world.home)
        before, names, prompt = state(shell), functions(shell), shell.run("functions fish_prompt")
        for _ in range(10):
            shell.cd(root)
            shell.run("deactivate")
            shell.run(source_activate("fish", root / ".venv"))
            shell.cd(world.home)
        assert state(shell) == before
        assert functions(shell) == names
        assert shell.run("functions fish_prompt") == prompt
        assert shell.run("functions --all --names | string match '__alight_prompt_*'") == "__alight_prompt_1\n"


def test_the_environments_own_prompt_and_ours_never_loop(world: World) -> None:
    """R42: an environment activated by hand over ours is shown once, and leaving shows none, round after round."""
    root = world.trusted("app")
    with fish(world, root) as shell:
        for _ in range(3):
            shell.run("deactivate")
            shell.run(source_activate("fish", root / ".venv"))
            for _ in range(2):
                assert shell.prompt().count("(") == 1
                shell.run("")
            shell.cd(world.home)
            assert shell.prompt() == "> "
            shell.cd(root)
            assert shell.prompt().startswith("(app ")


def test_a_prompt_of_the_users_keeps_its_segment(world: World) -> None:
    """A `fish_prompt` defined later, also twice and one that calls the former, gets the segment and is not lost."""
    root = world.trusted("app")
    with fish(world, root) as shell:
        mark = prompts(shell)
        for own in ("mine", "other"):
            shell.run(f"function fish_prompt; echo -n '{own}> '; {mark}; end")
            assert shell.prompt().startswith("(app ")
            assert shell.prompt().endswith(f") {own}> ")
        shell.run("functions -c fish_prompt former; function fish_prompt; echo -n 'new '; former; end")
        shell.run("")
        assert shell.prompt().count("(app ") == 1
        assert shell.prompt().endswith("other> ")
        shell.run("alight off")
        assert shell.prompt() == "new other> "


def test_frameworks_keep_their_prompt(world: World) -> None:
    """Where a prompt framework is present, `fish_prompt` is not touched at all."""
    root = world.trusted("app")
    for line in ("set -g tide_left_prompt_items pwd", "function _pure_prompt; end", "set -gx STARSHIP_SHELL fish"):
        with fish(world, root, None, line) as shell:
            assert shell.prompt() == "> "
            assert shell.variable("ALIGHT_STATE") == b"active"
            assert "in front" not in shell.run("functions fish_prompt")


@pytest.mark.parametrize("way", ["-c", "--no-config", "ALIGHT_DISABLE"])
def test_inert_and_silent_where_nobody_asked_for_it(world: World, way: str) -> None:
    """Scripts, sessions without configuration and the kill switch get nothing and hear nothing."""
    root = world.trusted("app")
    show = "functions --all --names | string match '*alight*'; set --names | string match -i '*alight_*' | sort"
    if way in ("-c", "--no-config"):
        words = [executable("fish"), *(["--no-config"] if way == "--no-config" else []), "-c"]
        text = f"source {quote('fish', os.fsencode(HOOK))}; cd {quote('fish', os.fsencode(root))}; {show}"
        done = subprocess.run([*words, text], env=world.environ(), capture_output=True, check=True)
        assert (done.stdout, done.stderr) == (b"ALIGHT_DEADLINE\nALIGHT_RUNTIME_DIR\n", b"")
        return
    with fish(world, root, {"ALIGHT_DISABLE": "1"}, "true") as shell:
        assert "alight" not in shell.startup
        assert shell.variable("VIRTUAL_ENV") is None
        assert shell.run("functions --all --names | string match '*alight*'") == ""


def test_sourced_twice_it_is_one_hook(world: World) -> None:
    """R38: one handler an event, one question a prompt, and what is applied stays known."""
    root = world.trusted("app")
    with fish(world, root) as shell:
        before = sorted(shell.run("functions --handlers-type generic").splitlines())
        assert shell.run(f"source {quote('fish', os.fsencode(world.hook_file('fish')))}") == ""
        assert sorted(shell.run("functions --handlers-type generic").splitlines()) == before
        assert sum("__alight" in line for line in before) == 3
        shell.cd(world.home)
        assert shell.variable("VIRTUAL_ENV") is None
        assert shell.prompt() == "> "


def test_functions_named_like_builtins_do_not_bite(world: World) -> None:
    """R35: the hook calls none of the functions that carry a builtin's name, and fish lets a user take many."""
    root = world.trusted("app")
    names = (
        *("printf", "contains", "count", "math", "path", "source", "emit", "type", "random", "true", "false"),
        *("echo", "cd", "realpath", "functions"),
    )
    hook = world.hook_file("fish")
    lines = [
        f"function {name}; string match -q '*{hook.name}*' (status stack-trace)[4]; and set -ga hurt {name};"
        f" builtin {name} $argv; end"
        for name in names
    ]
    with fish(world, None, None, *lines) as shell:
        assert shell.run("functions --query printf; and builtin echo there") == "there\n"
        shell.cd(root)
        assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
        shell.run("deactivate; alight off; alight on")
        shell.cd(world.home)
        assert shell.run("string join -- - $hurt") == ""


def test_a_steady_prompt_starts_no_process_and_asks_nobody(world: World, scripted: Scripted) -> None:
    """R1, R3: where nothing changed, fish has no child and the daemon no question, wanted segment or not."""
    with fish(world, daemon=False) as shell:
        shell.run("")
        asked, faults = len(scripted.requests), _children_faults(shell.pid)
        for _ in range(5):
            shell.run("")
        assert len(scripted.requests) == asked == 1
        assert _children_faults(shell.pid) == faults


def _children_faults(pid: int) -> int:
    """Page faults of all children a process has waited for: any child at all adds to them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[8])


def test_news_and_witnesses_are_seen_without_cd(world: World, scripted: Scripted) -> None:
    """Another mark, and a witness that appears, changes or disappears, each cause one question."""
    seen = world.home / "seen"
    scripted.plan = msgspec.structs.replace(scripted.plan, witness_1=os.fsencode(seen))
    generation = scripted.runtime / "generation"
    with fish(world, daemon=False) as shell:

        def appear() -> None:
            seen.write_text("")
            os.utime(seen, (1, 1))

        def renew() -> None:
            generation.write_text("m2\n")
            scripted.plan = msgspec.structs.replace(scripted.plan, mark="m2")

        changes: Sequence[Callable[[], object]] = (appear, lambda: os.utime(seen), seen.unlink, renew)
        for count, change in enumerate(changes, start=2):
            change()
            shell.run("")
            shell.run("")
            assert len(scripted.asked()) == count


def test_lines_that_may_make_environments_are_told(world: World, scripted: Scripted) -> None:
    """Told, when the first word is a file; functions, builtins and other lines are not; history is left alone."""
    with fish(world, daemon=False) as shell:
        shell.run("function poetry; end")
        for line in ("poetry install", "echo venv", "ls", "$HOME/venv", "not-there-venv", "env true venv"):
            shell.run(line)
        assert scripted.noted() == [b"env true venv"]
        assert shell.run("history search --exact 'env true venv' | cat") == "env true venv\n"
        shell.run("set -g fish_private_mode 1")
        shell.run("env true venv again")
        assert scripted.noted() == [b"env true venv"]


def _stamp(folder: Path) -> Path:
    trust = folder / "alight" / "trust"
    trust.mkdir(parents=True, exist_ok=True)
    stamp = trust / ("0" * 64 + ".json")
    stamp.touch()
    return stamp


def _enter(scripted: Scripted, world: World, *operations: bytes) -> Plan:
    prefix = world.directory("env")
    (prefix / "bin").mkdir(exist_ok=True)
    (prefix / "pyvenv.cfg").touch()
    return msgspec.structs.replace(
        scripted.plan,
        action="enter",
        root=os.fsencode(world.home),
        prefix=os.fsencode(prefix),
        owner="alight",
        stamp=os.fsencode(_stamp(world.home)),
        state="active",
        operations=(b"set VIRTUAL_ENV=" + os.fsencode(prefix), *operations),
    )


def test_values_with_any_octets_arrive(world: World, scripted: Scripted) -> None:
    """Newlines, quotes, wildcards, `=` and octets that are not UTF-8 are set as they are, and shown raw nowhere."""
    value = b"a=b\n\n*?[x] $(echo hurt) \\n '\" caf\xe9 \xff\n"
    plan = _enter(scripted, world, b"set ALIGHT_ODD=" + value)
    scripted.plan = msgspec.structs.replace(plan, prompt="$(echo hurt) \x1b[31m %s \\e", notice="two\nlines \x1b[31m")
    with fish(world, daemon=False) as shell:
        assert shell.startup == "two?lines ?[31m\n"
        assert shell.env()[b"ALIGHT_ODD"] == value
        assert shell.prompt() == "$(echo hurt) ?[31m %s \\e > "
        assert shell.run("") == ""


@pytest.mark.parametrize(
    "operation",
    [
        b"set PATH=/x",
        b"set fish_function_path=/x",
        b"set __alight_call=/x",
        b"set LD_PRELOAD=/x",
        b"set A B=/x",
        b"set A\n=/x",
        b"set (touch hurt)=/x",
        b"set NAME",
        b"unset DYLD_X",
        b"drop PATH",
        b"path-add relative",
        b"path-add /a:/b",
        b"path-remove ",
        b"run /etc/profile",
        b"run @/etc/conda/activate.d/../../../x.fish",
        b"run @/etc/conda/activate.d/",
        b"eval touch hurt",
        b"set",
        b"",
    ],
)
def test_a_plan_with_one_bad_operation_is_not_applied(world: World, scripted: Scripted, operation: bytes) -> None:
    """PROTOCOL 5.1: one bad field, and nothing of the plan is applied."""
    prefix = os.fsencode(world.home / "env")
    scripted.plan = _enter(scripted, world, operation.replace(b"@", prefix))
    with fish(world, daemon=False) as shell:
        assert shell.startup == ""
        assert shell.variable("VIRTUAL_ENV") is None
        assert shell.variable("ALIGHT_STATE") == b"none"
        assert shell.env()[b"PATH"] == PATH.encode()


@pytest.mark.parametrize(
    "change",
    [
        {"action": "enter", "stamp": b""},
        {"action": "enter", "stamp": b"@/other/trust/" + b"0" * 64 + b".json"},
        {"action": "enter", "stamp": b"@/alight/trust/" + b"1" * 64 + b".json"},
        {"action": "enter", "stamp": b"@/link/alight/trust/../trust/" + b"2" * 64 + b".json"},
        {"action": "enter", "prefix": b"@/nothing"},
        {"action": "enter", "prefix": b"env"},
        {"action": "enter", "prefix": b""},
        {"action": "enter", "root": b"relative"},
        {"action": "enter", "generation": b"/etc/hostname"},
        {"action": "adopt", "prefix": b""},
    ],
)
def test_the_hook_trusts_its_own_eyes(world: World, scripted: Scripted, change: Mapping[str, bytes]) -> None:
    """PROTOCOL 5.2: prefix, stamp and generation are what they should be on disk, or nothing is applied."""
    scripted.plan = _enter(scripted, world)
    trust = world.home / "alight" / "trust"
    (trust / ("2" * 64 + ".json")).symlink_to("/etc/hostname")
    home = os.fsencode(world.home)
    fields = {name: value.replace(b"@", home) if name != "action" else value for name, value in change.items()}
    scripted.plan = msgspec.structs.replace(scripted.plan, **fields)
    with fish(world, daemon=False) as shell:
        assert shell.startup == ""
        assert shell.variable("VIRTUAL_ENV") is None
        assert shell.variable("ALIGHT_STATE") == b"none"


def test_an_interrupted_activation_is_finished_at_the_next_prompt(world: World) -> None:
    """R37: what Ctrl-C left half done is undone by value before anything else happens."""
    root = world.trusted("app")
    with fish(world, root) as shell:
        whole = state(shell)
        shell.run("set -eg VIRTUAL_ENV; set -g __alight_unfinished 1")
        assert state(shell) == whole
        shell.cd(world.home)
        assert f"{root}".encode() not in shell.env()[b"PATH"]


def test_an_inherited_half_activation_takes_its_leftovers_along(world: World) -> None:
    """R25: fish exports what a script keeps for its undo; without the script's functions that goes, too."""
    other = world.trusted("other")
    inherited = {
        "VIRTUAL_ENV": f"{other}/.venv",
        "PATH": f"{other}/.venv/bin:{PATH}",
        "_OLD_VIRTUAL_PATH": "/stale",
        "_OLD_FISH_PROMPT_OVERRIDE": f"{other}/.venv",
    }
    with fish(world, None, inherited) as shell:
        left = shell.env()
        assert left[b"PATH"] == PATH.encode()
        assert not {b"VIRTUAL_ENV", b"_OLD_VIRTUAL_PATH", b"_OLD_FISH_PROMPT_OVERRIDE"} & set(left)


def test_another_environments_deactivate_is_not_called(world: World) -> None:
    """R19: after adopting one environment, the user's switch to another one by hand is the user's."""
    root, own = world.trusted("app"), world.venv(world.directory("tools") / "mine")
    with fish(world, root) as shell:
        shell.run("deactivate")
        shell.run(source_activate("fish", root / ".venv"))
        assert shell.variable("__alight_adopted")
        shell.run(source_activate("fish", own))
        shell.run("")
        assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)
        assert state(shell)[b"PATH"].startswith(os.fsencode(own / "bin") + b":")


def test_exec_fish_starts_afresh(world: World) -> None:
    """R25: what replaces the shell inherits variables without functions and is whole at its first prompt."""
    root = world.trusted("app")
    hook = quote("fish", os.fsencode(world.hook_file("fish")))
    with fish(world, root) as shell:
        before = state(shell)
        mark = {name: shell._mark(name).decode().replace("\x1b", "\\e").replace("\a", "\\a") for name in "ABC"}
        config = world.home / "again.fish"
        config.write_text(
            f"function fish_prompt; printf '> {mark['B']}'; end\nset -g fish_greeting\nsource {hook}\n"
            f"function before --on-event fish_prompt; printf '{mark['A']}'; end\n"
            f"function during --on-event fish_preexec; printf '{mark['C']}'; end\n"
        )
        shell.run(f"exec fish -C 'source {config}'")
        assert shell.prompt().startswith("(app ")
        assert state(shell) == before
        assert shell.variable("__alight_applied") == os.fsencode(root / ".venv")
        shell.run("deactivate")
        assert shell.variable("VIRTUAL_ENV") is None
