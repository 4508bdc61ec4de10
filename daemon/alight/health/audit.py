"""What takes longer to find out than an answer may: packages, lock files, and the shell around an environment.

Done by commands in their own process, never by the daemon: 200 packages with a lock file of 500 KB take 15 ms, and
shells do not wait for that. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.health import duplicates, locks, mixing, session, staleness
from alight.health.packages import Installed, installed
from alight.health.remake import with_remedies
from alight.model import Answer, Finding, Resolution

_WEIGHT = {"error": 0, "warning": 1, "info": 2}


def audit(
    resolution: Resolution, variables: Mapping[str, bytes], disk: Disk, documents: Documents | None = None
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """(what is wrong with the environment's packages, what is wrong with the place and the shell), worst first.

    ``variables`` are those of ``wire.facts`` that the command sent. Nothing found here is an error: an environment
    that cannot be used was found out by the answer.
    """
    documents = documents or Documents(disk)
    environment = resolution.environment
    health: list[Finding] = []
    place = [*session.dual(resolution)]
    present = Installed((), (), complete=False)
    if environment is not None and environment.site_packages:
        present = installed(environment.site_packages)
        # Conda's own packages carry what others' tools would call half-made.
        owned = mixing.owned(environment.prefix, disk) if environment.kind == "conda" else None
        health += duplicates.duplicated(present, environment)
        health += duplicates.unfinished(present, environment, disk, owned)
        if owned is not None and environment.system != "pixi":
            health += mixing.mixed(present, owned, resolution.root, disk, documents)
    if environment is not None and resolution.project is not None:
        chosen = locks.source(resolution.project, environment, disk)
        if chosen is not None:
            place += locks.findings(
                chosen, resolution.directory, resolution.project, environment, present, disk, documents
            )
            place += staleness.stale(chosen.tool, chosen.path, resolution.project.root, disk, documents)
    place += session.around(resolution, variables, present, disk)
    return tuple(sorted(health, key=_weight)), tuple(sorted(place, key=_weight))


def audited(answer: Answer, variables: Mapping[str, bytes], disk: Disk) -> Answer:
    """The answer with what an audit adds to the environment's health and to the findings."""
    found = answer.resolution
    health, place = audit(found, variables, disk)
    environment = found.environment
    if environment is not None:
        environment = msgspec.structs.replace(environment, health=environment.health + health)
    findings = (*with_remedies(found, variables, disk), *place)
    resolution = msgspec.structs.replace(found, environment=environment, findings=findings)
    return msgspec.structs.replace(answer, resolution=resolution)


def _weight(finding: Finding) -> int:
    return _WEIGHT[finding.severity]
