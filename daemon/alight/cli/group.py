"""The list of verbs, and a click group that imports a verb's module only when it is used."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import click

from alight.cli import render


@dataclass(frozen=True)
class Verb:
    """One verb: where it stands in the help, its summary, and ``module:attribute`` below ``alight.cli``."""

    section: str
    name: str
    summary: str
    where: str


VERBS: tuple[Verb, ...] = (
    Verb("Every day", "status", "What this shell, the daemon and this folder are doing", "status:status"),
    Verb("Every day", "why", "How the answer for a folder came about, rule by rule", "why:why"),
    Verb("Every day", "allow", "Trust the environment that belongs to a folder", "decide:allow"),
    Verb("Every day", "deny", "Never use the environment of a folder", "decide:deny"),
    Verb("Every day", "on", "Let alight work in this shell again", "switch:on"),
    Verb("Every day", "off", "Leave alight's environment; do nothing in this shell", "switch:off"),
    Verb("Every day", "pause", "The same, until you leave this project", "switch:pause"),
    Verb("Questions", "env", "Which environment belongs to a folder", "env:env"),
    Verb("Questions", "check", "Where a command would install, before it does", "check:check"),
    Verb("Questions", "doctor", "What is wrong in a folder, in this shell, and with alight", "doctor:doctor"),
    Verb("Questions", "watch", "Environments and what happens to them, live", "watch:watch"),
    Verb("Questions", "envs", "Every environment and interpreter alight knows", "envs:envs"),
    Verb("Scripts, editors, cron", "exec", "Run a command in a folder's environment", "exec:execute"),
    Verb("Scripts, editors, cron", "export", "What switching it on changes, as shell lines", "export:export"),
    Verb("Setting up", "init", "Print the hook for zsh, bash or fish", "init:init"),
    Verb("Setting up", "trust", "Trust a whole tree; list or revoke decisions", "trust:trust"),
    Verb("Setting up", "config", "Every setting, its value and where it comes from", "config:config"),
    Verb("Setting up", "daemon", "Start, stop and look at the daemon", "daemon:daemon"),
)


class LazyGroup(click.Group):
    """The top command; ``VERBS`` is all it knows before a verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [verb.name for verb in VERBS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        verb = next((verb for verb in VERBS if verb.name == cmd_name), None)
        if verb is None:
            return None
        module, _, attribute = verb.where.partition(":")
        command = getattr(importlib.import_module(f"alight.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        for section in dict.fromkeys(verb.section for verb in VERBS):
            with formatter.section(section):
                formatter.write_dl([(verb.name, verb.summary) for verb in VERBS if verb.section == section], col_max=10)


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from alight import __version__

    render.line(f"alight {__version__}")
    context.exit()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 bad news, 2 usage, 3 daemon unreachable, 4 untrusted or denied.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
@click.pass_context
def alight(context: click.Context) -> None:
    """The right Python environment for the folder you are in.

    DIR is the current directory where it is left out. `alight VERB --help` says more about each.
    """
    if context.invoked_subcommand is None:
        render.page(context.get_help())
