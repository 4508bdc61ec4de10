"""What only bash has: PROMPT_COMMAND, Enter through readline, PS1 with its expansions, names that are evaluated."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.shells import ShellSession, quote
from support.until import until
from support.world import World, base_python, export

KIND = "bash"
SEGMENT = "${ALIGHT_PROMPT:+$ALIGHT_PROMPT }"
COMMANDS = "one() { echo one; }; two() { echo two; }; three() { echo three; }"

# The user's PROMPT_COMMAND before the hook, and what its commands say at each prompt.
PROMPT_COMMANDS: Mapping[str, tuple[str, str]] = {
    "unset": ("unset PROMPT_COMMAND", ""),
    "empty": ("PROMPT_COMMAND=", ""),
    "string": ("PROMPT_COMMAND=one", "one"),
    "trailing-semicolon": ("PROMPT_COMMAND='one; '", "one"),
    "lines": ("PROMPT_COMMAND=$'one\\ntwo\\n'", "one two"),
    "comment": ("PROMPT_COMMAND='one # two; three'", "one"),
    "exported": ("export PROMPT_COMMAND='one;two'", "one two"),
    "compound": ("PROMPT_COMMAND='{ one; if true; then two; fi; }'", "one two"),
}

# What somebody made of PROMPT_COMMAND after the hook was read.
MERGED: Mapping[str, tuple[str, str]] = {
    "in-front": ("PROMPT_COMMAND='one;__alight_prompt'", "one"),
    "behind": ("PROMPT_COMMAND='__alight_prompt;one'", "one"),
    "between": ("PROMPT_COMMAND='one; __alight_prompt ;two'", "one two"),
    "lines": ("PROMPT_COMMAND=$'one\\n__alight_prompt\\ntwo'", "one two"),
    "condition": ("PROMPT_COMMAND='one && __alight_prompt; two'", "one two"),
    "group": ("PROMPT_COMMAND='{ one; __alight_prompt; }; two'", "one two"),
    "twice": ("PROMPT_COMMAND='__alight_prompt;one;__alight_prompt'", "one"),
}


def elements(shell: ShellSession) -> str:
    """PROMPT_COMMAND as the shell has it."""
    return shell.run('printf "%s\\n" "${PROMPT_COMMAND[@]}"')


def make_line(more: str = "") -> str:
    """A line that makes an environment."""
    return f"{base_python()} -m venv --without-pip .venv{more}"


@pytest.mark.parametrize("case", PROMPT_COMMANDS)
def test_the_users_prompt_command_survives(world: World, case: str) -> None:
    """R38: whatever PROMPT_COMMAND was, its commands run once a prompt, in their order, and ours comes first."""
    before, said = PROMPT_COMMANDS[case]
    root = world.trusted("app")
    shell = world.shell(KIND, before=[COMMANDS, before])
    assert shell.cd(root).split() == said.split()
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    listed = elements(shell)
    assert listed.startswith("__alight_prompt")
    assert listed.count("__alight_prompt") == 1


@pytest.mark.parametrize("case", MERGED)
def test_a_merged_prompt_command_is_split_again(world: World, case: str) -> None:
    """R38: where somebody merged our call into a string, the next prompt has it in front again, once."""
    merged, said = MERGED[case]
    root = world.trusted("app")
    shell = world.shell(KIND, after=[COMMANDS, merged])
    assert shell.cd(root).split() == said.split()
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    listed = elements(shell)
    assert listed.startswith("__alight_prompt")
    assert listed.count("__alight_prompt") == 1


def test_a_readonly_prompt_command_is_left_alone(world: World) -> None:
    """A PROMPT_COMMAND that nobody may change keeps its value, and the hook stays silent about it."""
    shell = world.shell(KIND, before=[COMMANDS], after=[])
    shell.close()
    text = world.hook_file(KIND)
    done = ShellSession(
        KIND,
        world.home,
        world.environ(),
        rc_lines=["PROMPT_COMMAND=(true)", "_pty_before() { printf ''; }"],
    )
    done.run("readonly PROMPT_COMMAND")
    assert done.run(f"source {text}") == ""
    assert "__alight" not in elements(done)
    assert done.run("echo $?") == "0\n"
    done.close()


def test_children_get_no_prompt_command_of_ours(world: World) -> None:
    """An exported PROMPT_COMMAND does not carry our call into shells that do not have it."""
    shell = world.shell(KIND, before=["export PROMPT_COMMAND=true"])
    assert not [value for value in shell.env().values() if b"__alight_prompt" in value]


def test_nothing_is_exported_under_allexport(world: World) -> None:
    """R27: `set -a` around the start-up file exports neither bookkeeping nor functions, and stays on."""
    root = world.trusted("app")
    shell = world.shell(KIND, root, before=["set -a"], after=["BEHIND=1"])
    env = shell.env()
    assert env[b"BEHIND"] == b"1"
    assert not [name for name in env if b"__alight" in name or b"BASH_FUNC_alight" in name]
    assert "deactivate" not in str(env)


def test_r36_the_others_see_what_the_user_left(world: World) -> None:
    """R36: another prompt hook sees the status of the user's command, and PIPESTATUS where bash keeps it (5.1)."""
    root = world.trusted("app")
    seen = 'seen() { local all=$?:${PIPESTATUS[*]}; echo "seen:$all"; }'
    shell = world.shell(KIND, before=[seen, "PROMPT_COMMAND=seen"])
    line = f"cd {quote(KIND, os.fsencode(root))}; true | false | (exit 5)"
    said = shell.run(line)
    modern = "yes" in shell.run("((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) && echo yes")
    assert said == ("seen:5:0 1 5\n" if modern else "seen:5:5\n")
    shell.run(f"cd ..; echo one {quote(KIND, b'the last')}")
    assert shell.run("echo $_").startswith("the last\n")


@pytest.mark.parametrize("options", ["set -eu", "set -E -T", "shopt -s failglob nullglob extglob", "set -f; IFS=/0"])
def test_r35_options_neither_bite_nor_change(world: World, options: str) -> None:
    """R35: under strict options, other globbing and an odd IFS the hook enters and leaves, and all is as it was."""
    root = world.trusted("app")
    shell = world.shell(KIND)
    shell.run(options)
    question = "shopt; set -o; printf '%q\\n' \"$IFS\""
    before = shell.run(question)
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    shell.send_keys("half")
    shell.wait_screen("half")
    shell.send_keys("\x03")
    shell.wait_prompt()
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None
    assert shell.run(question) == before


def test_r35_the_case_of_letters_counts_under_nocasematch(world: World) -> None:
    """R35: two projects whose names differ in case alone are two projects, whatever [[ ]] is told to overlook."""
    upper, lower = world.trusted("App"), world.trusted("app")
    shell = world.shell(KIND, upper, before=["shopt -s nocasematch"])
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(upper / ".venv")
    shell.cd(lower)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(lower / ".venv")
    assert os.fsencode(upper) not in shell.env()[b"PATH"]
    assert shell.run("[[ a == A ]] && echo overlooked") == "overlooked\n"


def test_the_users_locale_is_back_after_the_hook(world: World) -> None:
    """The hook reads octets; the user's own characters have their length again afterwards."""
    root = world.trusted("app")
    shell = world.shell(KIND, root)
    assert shell.run("x=$'\\u00e9'; echo ${#x} ${LC_ALL-unset}") == "1 unset\n"


def test_the_users_functions_and_aliases_do_not_bite(world: World) -> None:
    """Functions and aliases named like builtins, even like our own words, are never called by the hook."""
    root = world.trusted("app")
    names = "cd read printf test [ set unset export declare local hash shopt source mapfile type command compgen bind :"
    body = '[[ ${{FUNCNAME[1]}} != *alight* ]] || builtin echo hurt; builtin {0} "$@"'
    aliases = "; ".join(f"alias {name}='echo hurt;'" for name in ("local", "export", "return", "deactivate", "builtin"))
    shell = world.shell(
        KIND, before=["shopt -s expand_aliases", aliases], after=["unalias local export return builtin"]
    )
    for name in names.split():
        shell.run(f"function {name} {{ {body.format(name)}; }}")
    assert shell.cd(root) == ""
    assert shell.run("builtin echo $VIRTUAL_ENV") == f"{root}/.venv\n"
    assert shell.run("cd ..") == ""
    assert shell.run('builtin echo "$VIRTUAL_ENV"') == "\n"
    assert shell.run("shopt -q expand_aliases && builtin echo on") == "on\n"


@pytest.mark.parametrize("name", ["REPLY", "BASH_REMATCH", "MAPFILE", "OPTARG", "element", "file", "word", "name", "i"])
def test_the_users_variables_are_not_used(world: World, name: str) -> None:
    """Variables that bash's own words leave their results in, and ordinary names, keep what the user has in them."""
    root = world.trusted("app")
    shell = world.shell(KIND)
    if name == "BASH_REMATCH":
        shell.run("[[ mine =~ m.n. ]]")
    else:
        shell.run(f"{name}=mine")
    shell.cd(root)
    shell.cd(world.home)
    assert shell.variable(name) == b"mine"


def test_r37_err_and_debug_traps_see_the_users_commands_alone(world: World) -> None:
    """R37: an ERR trap fires once for a command that fails, and no trap sees the inside of the hook."""
    root = world.trusted("app")
    shell = world.shell(KIND, before=["PROMPT_COMMAND=true"])
    shell.run("trap 'echo err:$?' ERR; trap 'echo bye' EXIT; set -E")
    assert shell.run(f"cd {quote(KIND, os.fsencode(root))}; (exit 3)").count("err:") == 1
    shell.run("trap '[[ $BASH_COMMAND != *alight_[!pe]* ]] || echo \"inside:$BASH_COMMAND\"' DEBUG")
    assert "inside" not in shell.run("cd ..")
    shell.run("trap - DEBUG")
    assert "echo err:" in shell.run("trap")


def test_a_daemon_started_in_the_background_is_no_job(world: World) -> None:
    """`$!`, jobs, their messages and `wait` know nothing of the daemon that the first prompt starts."""
    shell = world.shell(KIND, daemon=False)
    assert shell.run('jobs; wait; echo "[$!]$?"') == "[]0\n"
    socket = Path(os.environ["ALIGHT_RUNTIME_DIR"]) / "alight.sock"
    until("the daemon serves", socket.exists, 20)
    assert shell.run("sleep 0 & wait $!; echo $?").splitlines()[-1] == "0"
    assert shell.run("jobs") in ("", "[1]+  Done                    sleep 0\n")


# --- the prompt ---


def test_the_segment_is_all_that_ps1_gets(world: World) -> None:
    """R42: PS1 has one expansion in front and is otherwise the user's, octet for octet, and not exported."""
    root = world.trusted("app")
    shell = world.shell(KIND, root, before=["PS1='\\[\\e[1m\\]\\u \\$ '"], after=["remembered=$PS1"])
    ours = shell.variable("PS1") or b""
    assert ours.startswith(SEGMENT.encode())
    assert ours.removeprefix(SEGMENT.encode()).startswith(shell.variable("remembered") or b"-")
    assert b"PS1" not in shell.env()


def test_a_theme_that_builds_ps1_anew_keeps_the_segment(world: World) -> None:
    """R42: the segment is in front again at each prompt, once."""
    root = world.trusted("app")
    shell = world.shell(KIND, root, before=['theme() { PS1="${PS1#*__THEME__}"; PS1="__THEME__$PS1"; }'])
    for _ in range(3):
        shell.run("theme")
        assert shell.prompt().count("(app") == 1
    assert shell.run('echo "$PS1"').count("ALIGHT_PROMPT:") == 1


@pytest.mark.parametrize(
    "line",
    [
        "shopt -u promptvars",
        "export VIRTUAL_ENV_DISABLE_PROMPT=1",
        "ALIGHT_PROMPT_SEGMENT=off",
        "STARSHIP_SHELL=bash",
        "_omp_hook() { :; }",
    ],
)
def test_the_segment_stays_away(world: World, line: str) -> None:
    """Without expansion in prompts, where the user said no, or beside a prompt framework, PS1 is left alone."""
    shell = world.shell(KIND, world.trusted("app"), after=[line])
    assert "ALIGHT" not in shell.run('echo "$PS1"')
    assert shell.variable("ALIGHT_ENV_NAME") == b"app"


def test_the_segment_goes_when_prompts_are_no_longer_expanded(world: World) -> None:
    """Switching promptvars off later shows no raw expansion, and PS1 is the user's own again."""
    shell = world.shell(KIND, world.trusted("app"))
    assert "(app" in shell.prompt()
    shell.run("shopt -u promptvars")
    assert "ALIGHT" not in shell.prompt()
    assert SEGMENT.encode() not in (shell.variable("PS1") or b"")


def test_a_readonly_ps1_costs_nothing(world: World) -> None:
    """A PS1 that nobody may change is no error at each prompt."""
    shell = world.shell(KIND, world.trusted("app"))
    shell.run("ALIGHT_PROMPT_SEGMENT=off")
    shell.run("readonly PS1; unset ALIGHT_PROMPT_SEGMENT")
    assert shell.run("") == ""


# --- what a reply may do ---


@pytest.mark.parametrize(
    "name",
    ["", "1", "a b", "x[$(touch hurt)]", "é", "PATH", "PS1", "PROMPT_COMMAND", "BASH_ENV", "LD_PRELOAD",
     "DYLD_X", "IFS", "ENV", "SECONDS", "__alight_python", "fixed", "number", "list"],
)  # fmt: skip
def test_names_are_checked_before_anything_is_set(world: World, name: str) -> None:
    """A name that bash would evaluate, that steers the shell or that has a type refuses the whole plan."""
    shell = world.shell(KIND)
    shell.run("readonly fixed=1; declare -i number=1; list=(1)")
    word = quote(KIND, f"set {name}=a[$(touch hurt)]".encode())
    assert shell.run(f"__alight_valid enter /usr {word}; echo $?").strip().endswith("1")
    assert shell.run("__alight_valid enter /usr 'set FINE=1' 'unset FINE' 'path-add /usr/bin'; echo $?") == "0\n"
    assert not list(world.home.rglob("hurt"))


@pytest.mark.parametrize("name", ["name", "word", "code", "line", "mark", "file", "element", "witness", "directory"])
def test_no_local_variable_catches_what_is_set(world: World, name: str) -> None:
    """A variable reaches the user's shell and comes back, whatever its name; values are never evaluated."""
    shell = world.shell(KIND)
    shell.run(f"{name}=former")
    value = "$(touch hurt) `touch hurt`; a[0] 'x'"
    word = quote(KIND, f"set {name}={value}".encode())
    shell.run(f"apply() {{ __alight_apply {word}; }}; apply")
    assert shell.env()[name.encode()] == value.encode()
    shell.run("__alight_leave")
    assert shell.variable(name) == b"former"
    assert name.encode() not in shell.env()
    assert not list(world.home.rglob("hurt"))


# --- Enter ---


CONTINUED: Mapping[str, str] = {
    "true \\\n&& echo two": "two\n",
    "echo 'a\nb'": "a\nb\n",
    "cat <<E\nuv { }\nE": "uv { }\n",
    "case x in\nx) echo in\n;;\nesac": "in\n",
    "f() {\necho in\n}; f": "in\n",
    "[[ a == a &&\nb == b ]] && echo yes": "yes\n",
    "x=(1\n2\n3); echo ${x[@]}": "1 2 3\n",
    "echo $((1 +\n2)) \\\nvenv": "3 venv\n",
}
"""Commands over several lines, by what they print: bash is in the midst of parsing when Enter is pressed."""


@pytest.mark.parametrize("command", CONTINUED)
def test_commands_over_several_lines_are_parsed_as_without_the_hook(world: World, command: str) -> None:
    """What runs at Enter leaves bash's parser where it is, whatever is still open."""
    shell = world.shell(KIND)
    for line in command.split("\n")[:-1]:
        shell.send_keys(line + "\r")
        shell.wait_screen(line.splitlines()[0] if line else ">")
    said = shell.run(command.split("\n")[-1])
    assert said.endswith(CONTINUED[command])
    assert "syntax" not in shell.screen()


def test_no_prompt_hook_and_no_start_up_line_gets_into_the_history(world: World) -> None:
    """The history holds what was typed, not the lines of a PROMPT_COMMAND or of the start-up file behind the hook."""
    shell = world.shell(KIND, before=["PROMPT_COMMAND=$'true\\ntrue a\\n true b'"], after=["# behind", "true c"])
    shell.cd(world.trusted("app"))
    assert [line.split()[1] for line in shell.run("history").splitlines()] == ["cd", "history"]


@pytest.mark.parametrize("mode", ["emacs", "vi"])
def test_an_environment_made_here_is_noted_in_every_keymap(world: World, mode: str) -> None:
    """`python -m venv .venv` is the user's own doing in emacs and vi mode, also when `set -o` comes after the hook."""
    root = world.project("app", environment=None)
    shell = world.shell(KIND, root)
    shell.run(f"set -o {mode}")
    assert "alight" not in shell.run(make_line(), deadline=30)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_enter_in_vi_command_mode_accepts_the_line(world: World) -> None:
    """Escape and Enter run the line once."""
    shell = world.shell(KIND)
    shell.run("set -o vi")
    shell.send_keys("echo vi-mode\x1b")
    shell.send_keys("\r")
    assert shell.wait_prompt() == "vi-mode\n"
    assert shell.run("echo still") == "still\n"


@pytest.mark.parametrize(
    "line",
    [
        "true &&\n{}",
        "true; \\\n{}",
        "alias made={}\nmade",
        "{}; true",
        "made() {{ {}; }}; made",
        "command {}",
        "time {}",
    ],
)
def test_other_lines_are_not_noted_as_made_here(world: World, line: str) -> None:
    """A continuation line, an alias, a function or a word in front is not the plain line that counts."""
    root = world.project("app", environment=None)
    shell = world.shell(KIND, root)
    made = make_line() if "alias" not in line else f"'{make_line()}'"
    for typed in line.format(made).split("\n") if "alias" in line else [line.format(made)]:
        shell.run(typed, deadline=30)
    assert (root / ".venv" / "pyvenv.cfg").exists()
    assert shell.variable("VIRTUAL_ENV") is None


def test_a_function_named_like_a_maker_is_not_noted(world: World) -> None:
    """What runs is the user's function, so that nobody knows what it made."""
    root = world.project("app", environment=None)
    shell = world.shell(KIND, root)
    shell.run(f'python3() {{ {base_python()} "$@"; }}')
    shell.run("python3 -m venv --without-pip .venv", deadline=30)
    assert shell.variable("VIRTUAL_ENV") is None


def test_enter_leaves_the_line_and_its_history_alone(world: World) -> None:
    """Lines run as typed, over several lines and pasted ahead, and the history holds them as without the hook."""
    shell = world.shell(KIND, before=["HISTSIZE=100"])
    shell.run("history -c")
    assert shell.run("for i in 1 2\ndo echo venv$i\ndone") == "venv1\nvenv2\n"
    shell.send_keys("echo first uv; false\recho second; echo $?\r")
    until("both have run and the prompt is back", lambda: shell.refresh().endswith("second\n0\n#"), 15)
    shell.run("")
    shell.send_keys("\x1b[A\x1b[A\r")
    assert shell.wait_prompt().endswith("first uv\n")
    shell.send_keys("\x12second\r")
    assert shell.wait_prompt().endswith("second\n0\n")
    assert [line.split(maxsplit=1)[1] for line in shell.run("history").splitlines()] == [
        "for i in 1 2; do echo venv$i; done",
        "echo first uv; false",
        "echo second; echo $?",
        "echo first uv; false",
        "echo second; echo $?",
        "history",
    ]


def test_status_and_last_argument_survive_enter(world: World) -> None:
    """`$?`, `$_`, PIPESTATUS and `$!` are the user's after a line that was told to the daemon, too."""
    shell = world.shell(KIND)
    shell.run("sleep 0 & wait; remembered=$!")
    shell.run("echo one 'the last'")
    assert shell.run("/bin/echo uv $_ $?") == "uv the last 0\n"
    shell.run("false | (exit 3)")
    assert shell.run("/bin/echo uv ${PIPESTATUS[@]} $?") == "uv 1 3 3\n"
    assert shell.run("test $! = $remembered && echo same") == "same\n"


@pytest.mark.parametrize("keymap", ["emacs", "vi-insert", "vi-command"])
def test_an_enter_of_the_users_own_is_left_alone(world: World, keymap: str) -> None:
    """A keymap in which Enter does something else keeps it; the others are told."""
    shell = world.shell(
        KIND, after=[f'bind -m {keymap} \'"\\C-m": "\\C-e\\C-j"\'', f"bind -m {keymap} '\"\\C-j\": accept-line'"]
    )
    for each in ("emacs", "vi-insert", "vi-command"):
        macros = shell.run(f"bind -m {each} -s")
        assert ('"\\C-m": "\\C-e\\C-j"' in macros) is (each == keymap)


@pytest.mark.parametrize("level", ["", "5.0"])
def test_enter_is_found_whatever_keeps_a_here_string(world: World, level: str) -> None:
    """Enter is told in every keymap, where bash keeps here-strings in pipes and where, as before 5.1, in files."""
    shell = world.shell(KIND, before=[f"BASH_COMPAT={level}"])
    for each in ("emacs", "vi-insert", "vi-command"):
        assert '"\\C-m": "' in shell.run(f"bind -m {each} -s")


@pytest.mark.parametrize("how", ["dumb", "no-editing"])
def test_without_line_editing_there_is_no_note_and_no_error(world: World, how: str) -> None:
    """On a dumb terminal and without readline Enter stays what it is, and nothing is said."""
    root = world.trusted("app")
    dumb = how == "dumb"
    shell = world.shell(
        KIND,
        env={"TERM": "dumb"} if dumb else None,
        before=[] if dumb else ["set +o emacs"],
        after=["said() { bind -s; }"],
    )
    assert "alight" not in shell.startup
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    assert "C-x" not in shell.run("set -o emacs; said")


def test_enter_in_a_prompt_of_a_command_is_its_own(world: World) -> None:
    """`read -e` gets the line that was typed."""
    shell = world.shell(KIND)
    shell.send_keys("read -e answer\r")
    shell.send_keys("python -m venv x\r")
    shell.wait_prompt()
    assert shell.variable("answer") == b"python -m venv x"


def test_loading_in_front_of_direnv_stands_down_all_the_same(world: World) -> None:
    """R23: direnv speaks first where the directory is a new one, whichever hook was loaded first."""
    root = world.trusted("app")
    (root / ".envrc").write_text('export VIRTUAL_ENV=$PWD/.venv\nPATH_add "$VIRTUAL_ENV/bin"\n')
    shell = world.shell(KIND, after=['eval "$(direnv hook bash)"'])
    shell.run(f"direnv allow {quote(KIND, os.fsencode(root))}")
    shell.cd(root)
    assert '"owner": "direnv"' in shell.run("alight status --json")
    assert shell.run(export(KIND, "X", "1")) == ""
