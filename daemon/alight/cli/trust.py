"""``alight trust``: trees that are trusted as a whole, and the list of decisions."""

from __future__ import annotations

import os

import click

from alight.cli import render
from alight.cli.options import json_option
from alight.cli.place import directory_of
from alight.cli.render import text_of
from alight.cli.session import Session
from alight.errors import UsageError


@click.command()
@click.argument("tree", metavar="[TREE]", required=False)
@click.option("--list", "listing", is_flag=True, help="List every decision (the default without TREE).")
@click.option("--revoke", metavar="X", help="Forget a decision: its identifier, root, or prefix.")
@json_option
@click.pass_obj
def trust(session: Session, tree: str | None, listing: bool, revoke: str | None, as_json: bool) -> int:
    """Trust every environment at or below TREE; list or revoke decisions.

    A tree covers whole folders, never one whose name merely starts the same. Environments that git tracks, or that
    bring their own `git`, `ls` or `sudo`, are not covered: allow each by itself.

    `always TOOL` in the list is no trust: it is where you answered a question of the guard with "always here".

    Exit code 1 when there was nothing to revoke, 3 without a daemon.
    """
    from alight.cli.shapes import decision_shape
    from alight.wire.requests import DecisionsReply, TrustList, TrustRevoke, TrustTree

    if sum((tree is not None, revoke is not None, listing)) > 1:
        raise UsageError("TREE, --list and --revoke are three different things", "alight trust --help")
    if revoke is not None:
        _, before = session.decide(TrustList(), DecisionsReply)
        _, reply = session.decide(TrustRevoke(directory_of(None, session.environ), _named(revoke)), DecisionsReply)
        revoked = len(reply.decisions) < len(before.decisions)
    elif tree is not None:
        _, reply = session.decide(TrustTree(directory_of(tree, session.environ)), DecisionsReply)
        revoked = True
    else:
        _, reply = session.decide(TrustList(), DecisionsReply)
        revoked = True
    if as_json:
        render.document({"decisions": [decision_shape(decision) for decision in reply.decisions]})
    elif tree is None and revoke is None:
        render.table(
            ("id", "decision", "root", "environment", "since"),
            [
                (
                    one.identifier[:12],
                    f"{one.decision} {one.tool}".rstrip(),
                    text_of(one.root),
                    text_of(one.prefix),
                    one.since,
                )
                for one in reply.decisions
            ],
        )
        if not reply.decisions:
            render.note("no decisions yet; alight allow, in a project, makes one")
    elif revoked:
        render.line(render.clean(reply.message) or "done")
    if not revoked:
        render.problem(reply.message or f"no decision is named {revoke}", "alight trust --list")
    return 0 if revoked else 1


def _named(which: str) -> bytes:
    """An identifier as it is; a path as an absolute one, so that ``--revoke .venv`` means this folder's."""
    octets = os.fsencode(which)
    return os.path.abspath(octets) if b"/" in octets or os.path.lexists(octets) else octets
