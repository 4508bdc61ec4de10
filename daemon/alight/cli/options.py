"""What several verbs take."""

from __future__ import annotations

import click

directory_argument = click.argument("directory", metavar="[DIR]", required=False)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
