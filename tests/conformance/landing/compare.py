"""What was predicted beside what happened."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.landing.table import Row

Agreement = Literal["agrees", "unknown", "disagrees", "broken"]
"""``broken``: the row did not get as far as a comparison, or is not what it was meant to be."""

_GOES_ON = re.compile(r";|\||&|\n|\$\(|`")


@dataclass(frozen=True)
class Outcome:
    """One row's result; ``why`` says what is wrong, in words."""

    row: Row
    agreement: Agreement
    why: tuple[str, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def installs(self) -> Sequence[Mapping[str, Any]]:
        return self.result.get("predicted", {}).get("installs", ())

    @property
    def verdict(self) -> str:
        """Of the last install on the line; ``-`` when none was seen."""
        return self.installs[-1]["verdict"] if self.installs else "-"

    @property
    def moved(self) -> frozenset[str]:
        """The directories in which something was installed or removed."""
        return frozenset((*self.result.get("added", ()), *self.result.get("removed", ())))

    @property
    def elsewhere(self) -> bool:
        """Whether it went another way than ``VIRTUAL_ENV`` suggests: not into what it names, or into another."""
        named = self.result.get("environ", {}).get("VIRTUAL_ENV", "")
        if named:
            return not any(_is_below(place, os.path.normpath(named)) for place in self.moved)
        return any(
            install["landing"] and install["landing"]["kind"] not in ("base", "user") for install in self.installs
        )


def compare(row: Row, result: Mapping[str, Any]) -> Outcome:
    """Judge one row."""
    error = result.get("error") or result.get("predicted", {}).get("error")
    if error:
        return Outcome(row, "broken", (str(error).strip(),), result)
    outcome = Outcome(row, "agrees", (), result)
    wrong = [*_not_as_meant(row, outcome), *_verdict(row, outcome)] if row.executed else []
    if wrong:
        return Outcome(row, "broken", tuple(wrong), result)
    if any(install["verdict"] == "unknown" for install in outcome.installs):
        return Outcome(row, "unknown", (), result)
    differences = _differences(outcome) if row.executed else [*_only_predicted(row, outcome), *_verdict(row, outcome)]
    return Outcome(row, "disagrees" if differences else "agrees", tuple(differences), result)


def _not_as_meant(row: Row, outcome: Outcome) -> list[str]:
    meant = outcome.result.get("meant")
    if row.lands is None or meant is None or set(meant) == outcome.moved:
        return []
    return [
        f"the row was to land in {sorted(meant) or 'nothing'}, the command wrote {sorted(outcome.moved) or 'nothing'}"
    ]


def _verdict(row: Row, outcome: Outcome) -> list[str]:
    if row.verdict is None or outcome.verdict in (row.verdict, "unknown"):
        return []
    return [f"the verdict is {outcome.verdict}, the row says {row.verdict}"]


def _only_predicted(row: Row, outcome: Outcome) -> list[str]:
    meant = outcome.result.get("meant")
    said = {install["landing"]["purelib"] for install in outcome.installs if install["landing"]}
    if meant is None or set(meant) == said:
        return []
    return [f"the row says {sorted(meant) or 'nothing'}, the prediction {sorted(map(str, said)) or 'nothing'}"]


def _differences(outcome: Outcome) -> list[str]:
    said: list[str] = []
    unseen = set(outcome.moved)
    created = set(outcome.result.get("created", ()))
    for number, install in enumerate(outcome.installs):
        landing = install["landing"]
        if landing is None:
            continue
        place, prefix = landing["purelib"], landing["prefix"]
        seen = {path for path in outcome.moved if path == place or (place is None and _is_below(path, prefix))}
        is_created = prefix in created and (install["action"] == "create" or not landing["exists"])
        # A runner brings the environment up to date before it starts the rest, which may have nothing to do.
        is_idle = install["action"] == "sync" and number + 1 < len(outcome.installs)
        if not seen and not is_created and not is_idle:
            said.append(f"predicted {place or prefix} ({install['verdict']}), nothing was installed or removed there")
        unseen -= seen
        if is_created:
            unseen = {path for path in unseen if not _is_below(path, prefix)}
    said += [f"installed or removed without a prediction: {path}" for path in sorted(unseen)]
    refused = bool(outcome.installs) and all(install["verdict"] == "refused" for install in outcome.installs)
    if refused and outcome.result["code"] == 0 and not _GOES_ON.search(outcome.row.line):
        said.append("predicted that the tool refuses; it ended with 0")
    bad = any(install["verdict"] in ("global", "wrong-env", "mixed") for install in outcome.installs)
    if outcome.result["predicted"]["code"] != int(bad):
        said.append(f"alight check ended with {outcome.result['predicted']['code']}")
    return said


def _is_below(path: str, directory: str) -> bool:
    real = os.path.normpath(directory)
    return path == real or path.startswith(real.rstrip("/") + "/")
