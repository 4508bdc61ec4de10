"""A guest in somebody's shell: nothing of the user's is touched, nothing is said without need."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from support.shells import executable, quote
from support.world import World, export, source_activate

STRICT = {
    "zsh": [
        "setopt no_unset",
        "setopt warn_create_global",
        "setopt ksh_arrays",
        "setopt sh_word_split",
        "setopt err_exit",
    ],
    "bash": [
        "set -u",
        "set -o pipefail",
        "shopt -s failglob nullglob extglob nocasematch",
        "set -o noclobber",
        "set -e",
    ],
    "fish": ["set -g fish_trace", "function read; command false; end", "function set_color; end", "alias test=false"],
}


@pytest.mark.parametrize("position", range(5))
def test_r35_works_under_every_strictness(world: World, kind: str, position: int) -> None:
    """R35: enter, leave, by word too, and ask again under the user's strict options, silently, the shell alive."""
    options = STRICT[kind]
    if position >= len(options):
        position = 0
    root = world.trusted("app")
    shell = world.shell(kind, after=[options[position]])
    assert shell.cd(root).strip() == ""
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    assert shell.run("") == ""
    assert shell.run("alight off").strip() == ""
    assert shell.env().get(b"VIRTUAL_ENV") is None
    assert shell.run("alight on").strip() == ""
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    assert shell.cd(world.home).strip() == ""
    assert shell.env().get(b"VIRTUAL_ENV") is None


@pytest.mark.parametrize("status", [0, 1, 3, 130])
def test_r36_the_status_survives_the_hook(world: World, kind: str, status: int) -> None:
    """R36: `$?` at the next command is the last command's, whether the hook asked or not."""
    root = world.trusted("app")
    shell = world.shell(kind)
    show = "echo got-$status" if kind == "fish" else "echo got-$?"
    leave = f"cd {quote(kind, os.fsencode(root))}; sh -c 'exit {status}'"
    shell.run(leave)
    assert f"got-{status}" in shell.run(show)
    shell.run(f"sh -c 'exit {status}'")
    assert f"got-{status}" in shell.run(show)


def test_r36_pipe_status_and_last_argument_survive_the_hook(world: World, kind: str) -> None:
    """R36: PIPESTATUS and `$_` are the user's."""
    root = world.trusted("app")
    shell = world.shell(kind)
    pipe = f"cd {quote(kind, os.fsencode(root))}; false | true | sh -c 'exit 4'"
    shell.run(pipe)
    words = {"zsh": "echo $pipestatus", "bash": "echo ${PIPESTATUS[@]}", "fish": "echo $pipestatus"}[kind]
    assert shell.run(words).strip() == "1 0 4"
    if kind != "fish":
        shell.run("echo one two-last")
        assert shell.run("echo $_").strip() == "two-last"
        shell.run("sleep 0 & wait; remembered=$!")
        shell.cd(world.home)
        assert shell.run("test $! = $remembered && echo same").strip() == "same"


def test_r37_the_users_traps_survive(world: World, kind: str) -> None:
    """R37: traps on INT, EXIT, USR1 and PIPE are listed as before, and Ctrl-C at the prompt leaves the shell alive."""
    root = world.trusted("app")
    shell = world.shell(kind)
    if kind == "fish":
        shell.run("function on_usr1 --on-signal USR1; echo caught; end")
    else:
        for name in ("INT", "EXIT", "USR1", "PIPE"):
            shell.run(f"trap 'echo caught-{name}' {name}")
    before = shell.run("trap")
    shell.cd(root)
    shell.send_keys("half a line")
    shell.wait_screen("half a line")
    shell.send_keys("\x03")
    shell.wait_screen("^C" if kind == "fish" else "caught-INT")
    shell.send_keys("\x15")
    if kind != "fish":
        shell.run("")
    shell.cd(world.home)
    assert shell.run("trap") == before
    assert "alive" in shell.run("echo alive")


def test_r38_sourcing_twice_registers_once(world: World, kind: str) -> None:
    """R38: the start-up file read again changes nothing: one registration, one segment, the same environment."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    prompt = shell.prompt()
    shell.run(f"source {quote(kind, os.fsencode(world.hook_file(kind)))}")
    assert shell.prompt() == prompt
    listed = {
        "zsh": "print -l $precmd_functions $preexec_functions",
        "bash": 'printf "%s\\n" "${PROMPT_COMMAND[@]}"',
        "fish": "functions --handlers-type generic 2>/dev/null; functions --handlers",
    }[kind]
    shown = shell.run(listed)
    assert max(shown.count(name) for name in ("__alight_prompt", "__alight_precmd", "__alight_preexec")) <= 1
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None
    assert "app" not in shell.prompt()


def test_r38_other_prompt_hooks_keep_working(world: World, kind: str) -> None:
    """R38: hooks that were there before and that come after ours run once per prompt each."""
    root = world.trusted("app")
    before, after = {
        "zsh": (["precmd_functions+=(one)", "one() { print one }"], ["precmd_functions+=(two)", "two() { print two }"]),
        "bash": (["one() { echo one; }", "PROMPT_COMMAND=one"], ["two() { echo two; }", "PROMPT_COMMAND+=(two)"]),
        "fish": (
            ["function one --on-event fish_prompt; echo one; end"],
            ["function two --on-event fish_prompt; echo two; end"],
        ),
    }[kind]
    shell = world.shell(kind, before=before, after=after)
    said = shell.cd(root)
    assert sorted(said.split()) == ["one", "two"]
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_r39_nothing_happens_outside_an_interactive_prompt(world: World, kind: str) -> None:
    """R39: subshells, command substitutions and scripts never activate anything, and stay silent."""
    root = world.trusted("app")
    hook = quote(kind, os.fsencode(world.hook_file(kind)))
    done = subprocess.run(
        [executable(kind), "-c", f"source {hook}; cd {quote(kind, os.fsencode(root))}; echo \"got:$VIRTUAL_ENV\""],
        env=world.environ(), capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (b"got:\n", b"")
    question = "functions -q alight" if kind == "fish" else "typeset -f alight"
    asked = subprocess.run([executable(kind), "-c", f"source {hook}; {question}"], env=world.environ(), check=False)
    assert asked.returncode == 1, "a script has the command, not the function"
    shell = world.shell(kind)
    where = quote(kind, os.fsencode(root))
    line = (
        f"echo got:(cd {where}; echo $VIRTUAL_ENV)" if kind == "fish" else f"echo got:$(cd {where}; echo $VIRTUAL_ENV)"
    )
    assert shell.run(line).strip() == "got:"
    if kind == "fish":  # a cd in a substitution is the shell's own there
        shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None


def test_r39_scripts_have_a_way_of_their_own(world: World, kind: str) -> None:
    """R39: `alight exec` gives scripts and agents the same environment without a prompt."""
    root = world.trusted("app")
    said = subprocess.run(
        [executable(kind), "-c", f"alight exec {quote(kind, os.fsencode(root))} -- sh -c 'command -v python'"],
        env={**world.environ(), "PATH": os.path.dirname(os.path.realpath(_alight())) + ":/usr/bin:/bin"},
        capture_output=True, timeout=30, check=True, cwd=world.home,
    )  # fmt: skip
    assert said.stdout.strip() == os.fsencode(root / ".venv/bin/python")


def test_r40_start_up_and_daily_use_are_silent(world: World, kind: str) -> None:
    """R40: with or without a daemon, starting, entering and leaving say nothing."""
    root = world.trusted("app")
    for running in (True, False):
        if not running:
            world.daemon.kill()
        shell = world.shell(kind, daemon=False)
        assert shell.startup.strip() == ""
        assert shell.cd(root).strip() == ""
        assert shell.cd(world.home).strip() == ""
        shell.close()


def test_r42_the_prompt_shows_one_environment_with_its_name(world: World, kind: str) -> None:
    """R42: pyvenv.cfg's prompt, a generic name gives the project's, shown once, and by the variables, too."""
    named = world.directory("named")
    world.venv(named / ".venv", None, "--prompt", "blue")
    world.alight("allow", str(named))
    plain = world.trusted("plain")
    shell = world.shell(kind, named)
    assert shell.prompt().count("blue") == 1
    shell.cd(plain)
    assert shell.prompt().count("plain") == 1
    assert shell.variable("ALIGHT_ENV_NAME") == b"plain"
    assert shell.variable("ALIGHT_ENV_KIND") == b"venv"
    assert re.fullmatch(rb"3\.\d+\.\d+", shell.env()[b"ALIGHT_PYTHON_VERSION"])
    shell.cd(world.home)
    assert shell.prompt().strip() in ("#", "%", "$", ">")


def test_r42_what_its_own_script_shows_is_not_shown_twice(world: World, kind: str) -> None:
    """R42: an environment activated by hand has its name in the prompt already."""
    root = world.trusted("app")
    shell = world.shell(kind, world.home)
    shell.run("alight pause")
    shell.run(source_activate(kind, root / ".venv"))
    shell.cd(root)
    assert shell.variable("ALIGHT_STATE") == b"active"
    assert shell.prompt().count("(") == 1
    shell.cd(world.home)
    assert shell.prompt().count("(") == 0
    shell.cd(root)
    assert "(app " in shell.prompt()


def test_r42_names_are_never_expanded_by_the_prompt(world: World, kind: str) -> None:
    """R42: a name full of prompt escapes and substitutions is shown as it is."""
    name = "%F{red}$(touch hurt)`touch hurt`\\w${HOME}"
    root = world.directory("named")
    world.venv(root / ".venv", None, "--prompt", name)
    world.alight("allow", str(root))
    options = {"zsh": ["setopt prompt_subst prompt_bang prompt_percent"], "bash": ["shopt -s promptvars"], "fish": []}[
        kind
    ]
    shell = world.shell(kind, root, before=options)
    assert name in shell.prompt()
    assert not list(world.home.rglob("hurt"))


@pytest.mark.parametrize(
    "setting",
    [{"ALIGHT_PROMPT_SEGMENT": "off"}, {"VIRTUAL_ENV_DISABLE_PROMPT": "1"}, {"STARSHIP_SHELL": "x"}],
    ids=["setting", "venv's own", "framework"],
)
def test_r42_the_segment_is_easy_to_turn_off(world: World, kind: str, setting: dict[str, str]) -> None:
    """R42: by alight's variable, by venv's, and where a prompt framework is present; the variables stay."""
    root = world.trusted("app")
    shell = world.shell(kind, root, env=setting)
    assert "app" not in shell.prompt()
    assert b"app" in shell.env()[b"ALIGHT_PROMPT"]


def test_no_child_inherits_the_connection(world: World, kind: str) -> None:
    """No command started from the prompt, in front or behind, has an open socket or file of ours."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    assert "socket" not in shell.run("command ls -l /proc/self/fd")
    shown = shell.run("command ls /proc/self/fd")
    assert set(shown.split()) == {"0", "1", "2", "3"}
    shell.cd(world.home)
    shell.run("")
    assert set(shell.run("sh -c 'ls /proc/self/fd'").split()) == {"0", "1", "2", "3"}


def test_hooks_that_others_call_again_leave_nothing_open(world: World) -> None:
    """Widgets that redraw a prompt call every precmd function: no descriptor is left, and the shell goes to sleep."""
    root = world.trusted("app")
    shell = world.shell("zsh", root)
    shell.run("repeat 20 { for hook in $precmd_functions; do [[ $hook == __alight* ]] && $hook; done }")
    assert set(shell.run("command ls /proc/self/fd").split()) == {"0", "1", "2", "3"}
    shell.run("repeat 20 __alight_precmd")
    assert len(os.listdir(f"/proc/{shell.pid}/fd")) < 12


def test_an_open_descriptor_stays_the_users(world: World, kind: str) -> None:
    """`exec 3>file` is the user's for as long as the shell lives."""
    root = world.trusted("app")
    shell = world.shell(kind)
    if kind == "fish":  # which has no redirections that outlive a command
        return
    shell.run(f"exec 3>{world.home}/mine")
    shell.cd(root)
    shell.cd(world.home)
    shell.run("echo written >&3")
    assert (world.home / "mine").read_text() == "written\n"


def test_r02_the_very_same_question_is_asked_once(world: World, kind: str) -> None:
    """R2: back and forth between known directories nobody is asked; after news somebody is."""
    root = world.trusted("app")
    shell = world.shell(kind)
    for _ in range(2):
        shell.cd(root)
        shell.cd(world.home)
    asked = world.questions()
    for _ in range(3):
        shell.cd(root)
        assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
        shell.cd(world.home)
        assert shell.variable("VIRTUAL_ENV") is None
    assert world.questions() == asked
    world.alight("deny", str(root))
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") is None
    assert world.questions() > asked
    other = world.project("other")
    for _ in range(2):
        shell.cd(other)
        shell.cd(world.home)
    world.alight("allow", str(other))
    shell.cd(other)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(other / ".venv")


def test_r01_r03_an_empty_line_starts_nothing(world: World, kind: str) -> None:
    """R3: Enter on an empty line starts no process and asks nobody; the shell's own count of children tells."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    shell.run("")
    asked = world.questions()
    started = _forks(world, shell, lambda: [shell.run("") for _ in range(5)])
    assert started == 0
    assert world.questions() == asked


def _forks(world: World, shell: object, act: object) -> int:
    """How many processes a shell started during ``act``: the kernel hands out pids in order, so ask it twice."""
    import threading

    assert callable(act)
    pid = shell.pid  # type: ignore[attr-defined]
    seen: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                seen.update(file.read().split())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        act()
    finally:
        done.set()
        watcher.join()
    return len(seen)


def _alight() -> str:
    from support.world import ALIGHT

    return ALIGHT


def test_variables_that_the_user_sets_for_us_do_not_reach_commands_twice(world: World, kind: str) -> None:
    """The public variables are exported once and follow the state."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    shell.run(export(kind, "ALIGHT_ENV_NAME", "nonsense"))
    shell.cd(world.home)
    assert shell.env()[b"ALIGHT_STATE"] == b"none"
    assert shell.env()[b"ALIGHT_ENV_NAME"] == b""
