"""Completions, asked of the shells themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pexpect
import pytest

from alight.cli.daemon import daemon
from alight.cli.group import VERBS
from alight.cli.group import alight as top
from alight.cli.shellfiles import shell_file
from support.commandline import alight

FILES = {"zsh": "completions/_alight", "bash": "completions/alight.bash", "fish": "completions/alight.fish"}
NAMES = [verb.name for verb in VERBS]


def words_of(command: click.Command) -> set[str]:
    """The verb's visible options without their dashes."""
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    return {word.lstrip("-") for option in options for word in option.opts}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with two folders and a file."""
    (tmp_path / "sub dir").mkdir()
    (tmp_path / "sub$(x)").mkdir()
    (tmp_path / "subfile").touch()
    return tmp_path


def complete(shell: str, line: str, folder: Path) -> set[str]:
    """What the shell offers for this line."""
    program = shutil.which(shell)
    assert program is not None
    file = str(shell_file(FILES[shell]))
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "dumb"}
    if shell == "fish":
        code = f"source {file}; complete -C '{line}'"
        arguments = [program, "--no-config", "-c", code]
    else:
        code = (
            f'source {file}; compopt() {{ COMPREPLY+=("<$2>"); }}; read -ra COMP_WORDS <<<"$1"; '
            '[[ $1 != *" " ]] || COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
            '__alight_complete; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        arguments = [program, "--norc", "-c", code, "bash", line]
    result = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environ, cwd=folder, timeout=30)
    assert result.stderr == ""
    return {offer.partition("\t")[0] for offer in result.stdout.splitlines()}


@pytest.mark.parametrize("shell", FILES)
def test_every_verb_and_option_is_there(shell: str) -> None:
    """No verb and no visible option of the command is missing from a completion."""
    text = shell_file(FILES[shell]).read_text()
    context = click.Context(top)
    for name in NAMES:
        command = top.get_command(context, name)
        assert command is not None
        assert name in text
        assert all(word in text for word in words_of(command)), name
    for name, command in daemon.commands.items():
        assert name in text
        assert all(word in text for word in words_of(command)), name


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("alight e", {"env", "envs", "exec", "export"}),
        ("alight init ", {"zsh", "bash", "fish"}),
        ("alight daemon ", {"run", "start", "stop", "restart", "status", "logs"}),
        ("alight trust --", {"--list", "--revoke", "--json", "--help"}),
        ("alight daemon logs --f", {"--follow"}),
        ("alight exec -- gre", {"grep"}),
    ],
)
def test_offers(shell: str, line: str, offered: set[str], folder: Path) -> None:
    """Verbs, options, and commands after the dashes are offered where they belong."""
    found = complete(shell, line, folder)
    assert offered <= found
    assert not {"<dirnames>", "subfile"} & found


def test_fish_offers_folders(folder: Path) -> None:
    """DIR is completed with folders only."""
    assert {"sub dir/", "sub$(x)/"} <= complete("fish", "alight env ", folder)
    assert "subfile" not in complete("fish", "alight env ", folder)


def test_bash_leaves_folders_to_bash(folder: Path) -> None:
    """Names from disk never pass through a word list, where blanks and ``$( )`` would be read."""
    assert complete("bash", "alight env ", folder) == {"<dirnames>"}


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("alight sta\t", "alight status "),
        ("alight init z\t", "alight init zsh "),
        ("alight daemon resta\t", "alight daemon restart "),
        ("alight daemon logs --fo\t", "alight daemon logs --follow "),
        ("alight env --js\t", "alight env --json "),
        ("alight env sub\\ \t", "alight env sub\\ dir/"),
        ("alight exec . -- shu\t", "alight exec . -- shuf "),
    ],
)
def test_zsh_completes_a_typed_line(typed: str, completed: str, folder: Path) -> None:
    """Zsh's own completion system takes the file and completes verbs, options, folders and commands."""
    program = shutil.which("zsh")
    assert program is not None
    directory = shell_file(FILES["zsh"]).parent
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "dumb", "ZDOTDIR": str(folder)}
    child = pexpect.spawn(program, ["-f", "-i"], env=environ, cwd=str(folder), encoding="utf-8", timeout=20)
    child.sendline(
        f"fpath=({directory} $fpath); autoload -Uz compinit; compinit -D -u; "
        'show() { print -rn -- "<"; print -rn -- "$BUFFER"; print -r -- ">" }; zle -N show; '
        "bindkey '^Xs' show; PS1=; print rea''dy"
    )
    child.expect("ready\r\n")
    child.send(typed.replace("\t", "") + "\t\x18s")
    child.expect("<([^<>]*)>\r?\n")
    assert child.match is not None
    shown = child.match[1]
    child.close(force=True)
    assert shown.startswith(completed)


def test_help_does_not_know_hidden_options(capsys: pytest.CaptureFixture[str]) -> None:
    """What only the shell function passes is not advertised."""
    alight("status", "--help")
    assert "--shell-owner" not in capsys.readouterr().out
