"""What several verbs take."""

from __future__ import annotations

import click

directory_argument = click.argument("directory", metavar="[DIR]", required=False)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class AfterDashes(click.Command):
    """A command that leaves everything after the first ``--`` as it is; click would drop the mark."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, command = (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, None)
        rest = super().parse_args(ctx, own)
        ctx.params["command"] = command
        return rest
