"""Which environment belongs to a directory: the walk, and the choice on each level (discovery rules 2.1).

The nearest level upward that has an answer wins. The project's root is the level that answered (for a workspace
member the workspace's root); when the directory lies inside an environment, or when there is no answer, it is the
nearest level with a marker.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alight import projects
from alight.files.disk import Disk, join
from alight.files.documents import Documents
from alight.files.ownership import fault
from alight.health import conda as conda_health
from alight.health import venv as venv_health
from alight.model import Alternative, Environment, Finding, Interpreter, Project, Resolution, Step
from alight.systems import SYSTEMS, pins
from alight.systems.base import BACK_LINK, INSIDE, TOOL, Claim, Facts, Links, Prefix, normalise
from alight.systems.pyvenv import clean

LEVELS_LIMIT = 64
ALTERNATIVES_LIMIT = 8
GENERIC = frozenset({"", ".venv", "venv", "env", ".virtualenv", ".env", ".conda", "default"})
"""Names that tell nothing; the project's directory gives its own instead."""


@dataclass(frozen=True, slots=True)
class _Level:
    path: bytes
    markers: projects.Markers


@dataclass(frozen=True, slots=True)
class _Choice:
    claim: Claim
    others: tuple[Claim, ...]
    findings: tuple[Finding, ...]


def resolve(
    directory: bytes,
    overrides: Mapping[str, bytes],
    disk: Disk,
    home: bytes,
    *,
    links: Links | None = None,
    trail: bool = False,
) -> Resolution:
    """What belongs to ``directory``, a logical path as the shell gives it; links in it are kept.

    A pure function of its arguments and the disk, which nothing here can make raise. ``trail`` collects every rule
    looked at on every level.
    """
    steps: list[Step] | None = [] if trail else None
    facts = Facts(disk, overrides, normalise(home), _logical(directory), Documents(disk), steps, links)
    passed: list[_Level] = []
    choice: _Choice | None = None
    for level in _walk(facts):
        passed.append(_Level(level, projects.markers(level, facts)))
        choice = _choose(level, facts)
        if facts.links is not None and (choice is None or choice.claim.rank >= BACK_LINK):
            facts.links.witness(facts)
        if choice is not None:
            break
        facts.marked = facts.marked or passed[-1].markers.strong
    if choice is None:
        return _nothing(directory, passed, facts)
    return _answer(directory, choice, passed, facts)


def describe(prefix: bytes, facts: Facts, label: bytes = b"", owner: str = "") -> Environment:
    """The environment at ``prefix`` with its health; ``label`` is the directory that lends a generic name its own."""
    described: Prefix | None = None
    for system in SYSTEMS:
        described = system.describe(prefix, facts)
        if described is not None:
            break
    assert described is not None
    return Environment(
        prefix=prefix,
        kind=described.kind,
        system=owner or described.system,
        name=_name(described, label or _parent(prefix)),
        python_version=described.python_version,
        interpreter=described.interpreter,
        base=described.base,
        site_packages=described.site_packages,
        health=_health(described, facts.disk),
    )


def _health(prefix: Prefix, disk: Disk) -> tuple[Finding, ...]:
    match prefix.kind:
        case "venv":
            return venv_health.examine(prefix, disk)
        case "conda":
            return conda_health.examine(prefix, disk)
        case "pep582":
            return ()  # a directory that a tool fills: nothing in it can be broken


def _walk(facts: Facts) -> Iterator[bytes]:
    """The levels upward, the directory first; ends after $HOME, before somebody else's, and after 64."""
    level = facts.directory
    start = facts.disk.stat(level)
    if start is None or not stat.S_ISDIR(start.st_mode):
        facts.note("none", "miss", "there is no such directory", level)
        return
    home = facts.disk.stat(facts.home)
    for _ in range(LEVELS_LIMIT):
        own = facts.disk.stat(level)
        if own is None or own.st_uid not in {facts.disk.uid, 0}:
            facts.note("none", "skipped", "this level belongs to somebody else", level)
            return
        at_home = level == facts.home or (home is not None and os.path.samestat(own, home))
        if at_home and level != facts.directory:
            facts.note("none", "skipped", "what lies in the home directory counts only there", level)
            return
        yield level
        if at_home or level == b"/":
            return
        level = _parent(level)
    facts.note("none", "skipped", f"more than {LEVELS_LIMIT} levels", level)


def _choose(level: bytes, facts: Facts) -> _Choice | None:
    seen = len(facts.findings)
    claims: list[Claim] = []
    for system in SYSTEMS:
        claim = system.claim(level, facts)
        if claim is not None:
            claims += [claim, *claim.others]
    guarded = _is_open(level, facts.disk)
    claims = [claim for claim in claims if not guarded or _is_ours(claim, level, facts)]
    if not claims:
        return None
    claims.sort(key=lambda claim: (claim.rank, -_age_of(claim, facts.disk) if claim.rank == TOOL else 0))
    first = claims[0]
    if not first.owner:
        # virtualenv leaves a .venv file beside what a tool makes with it: the tool's own word says more.
        first = next((claim for claim in claims if claim.owner and claim.prefix == first.prefix), first)
    others = {claim.prefix: claim for claim in reversed(claims) if claim.prefix not in {None, first.prefix}}
    return _Choice(first, tuple(reversed(others.values())), tuple(facts.findings[seen:]))


def _answer(directory: bytes, choice: _Choice, passed: list[_Level], facts: Facts) -> Resolution:
    claim = choice.claim
    project = _project(claim, facts)
    interpreter = _pinned(passed, facts, project) if claim.prefix is None else None
    findings = [*facts.findings]
    environment: Environment | None = None
    if claim.prefix is not None:
        label = project.root if project is not None and claim.rank != INSIDE else _parent(claim.prefix)
        environment = describe(claim.prefix, facts, label, claim.owner)
    if project is not None:
        findings += projects.rival_locks(project.root, facts)
        if environment is not None:
            findings += _python_findings(environment, project, facts)
    taken = {claim.prefix, *(other.prefix for other in choice.others)}
    undecided = [other for other in facts.undecided if other.prefix not in taken]
    alternatives = [_alternative(other, facts) for other in (*choice.others, *undecided)[:ALTERNATIVES_LIMIT]]
    if environment is None:
        alternatives += _above(claim.root, facts)
    return Resolution(
        directory=directory,
        project=project,
        environment=environment,
        interpreter=interpreter,
        condition="missing" if environment is None else "broken" if environment.broken else "found",
        would_create=claim.would_create,
        rule=claim.rule,
        confidence=claim.confidence,
        evidence=claim.evidence,
        linked=claim.linked,
        alternatives=tuple(alternatives),
        findings=tuple(findings),
        trail=tuple(facts.steps or ()),
    )


def _nothing(directory: bytes, passed: list[_Level], facts: Facts) -> Resolution:
    project = _nearest_project(passed, facts)
    interpreter = _pinned(passed, facts, project)
    findings = (*facts.findings, *(projects.rival_locks(project.root, facts) if project is not None else ()))
    rule = "none" if interpreter is None else "interpreter-only"
    facts.note(rule, "miss" if interpreter is None else "hit", "no level has an environment", facts.directory)
    return Resolution(
        directory=directory,
        project=project,
        environment=None,
        interpreter=interpreter,
        condition="none",
        would_create=None,
        rule=rule,
        confidence="certain",
        alternatives=tuple(_alternative(claim, facts) for claim in facts.undecided[:ALTERNATIVES_LIMIT]),
        findings=findings,
        trail=tuple(facts.steps or ()),
    )


def _project(claim: Claim, facts: Facts) -> Project | None:
    if claim.rank == INSIDE:
        above = Facts(facts.disk, facts.overrides, facts.home, _parent(claim.root), facts.documents, None, facts.links)
        return _nearest_project([_Level(level, projects.markers(level, above)) for level in _walk(above)], above)
    found = projects.markers(claim.root, facts)
    return Project(claim.root, _shown(found), claim.owner or projects.system(claim.root, facts))


def _nearest_project(passed: list[_Level], facts: Facts) -> Project | None:
    marked = [level for level in passed if level.markers.names]
    chosen = next((level for level in marked if level.markers.strong), marked[0] if marked else None)
    if chosen is None:
        return None
    return Project(chosen.path, _shown(chosen.markers), projects.system(chosen.path, facts))


def _python_findings(environment: Environment, project: Project, facts: Facts) -> list[Finding]:
    requirement, manifest = projects.requires_python(project.root, facts)
    found = [*venv_health.outside_requirement(environment.python_version, requirement, manifest)]
    level = facts.directory
    while level == project.root or level.startswith(join(project.root, b"")):
        pin = projects.pin(level, facts)
        if pin is not None:
            return [*found, *venv_health.outside_pin(environment.python_version, pin.version, pin.path)]
        if level == b"/":
            break
        level = _parent(level)
    return found


def _pinned(passed: list[_Level], facts: Facts, project: Project | None) -> Interpreter | None:
    """The base interpreter that ``$PYENV_VERSION`` or the nearest version file asks for; says what is not installed."""
    uv_root = project.root if project is not None and project.system == "uv" else b""
    chosen = pins.chosen(facts, tuple(level.path for level in passed), uv_root)
    if chosen is None:
        return None
    unknown = chosen.finding()
    said = {(finding.code, finding.evidence) for finding in facts.findings}
    if unknown is not None and (unknown.code, unknown.evidence) not in said:
        facts.findings.append(unknown)
    return chosen.interpreter


def _above(level: bytes, facts: Facts) -> list[Alternative]:
    """The environment a missing one hides: the next one upward."""
    if level in {b"/", facts.home}:
        return []
    above = Facts(
        facts.disk, facts.overrides, facts.home, _parent(level), facts.documents, None, facts.links, marked=True
    )
    for upper in _walk(above):
        choice = _choose(upper, above)
        if choice is not None:
            return [] if choice.claim.prefix is None else [_alternative(choice.claim, above)]
    return []


def _alternative(claim: Claim, facts: Facts) -> Alternative:
    assert claim.prefix is not None
    return Alternative(claim.rule, describe(claim.prefix, facts, claim.root, claim.owner))


def _is_open(level: bytes, disk: Disk) -> bool:
    """True when others may put things here: what they put does not count."""
    own = disk.stat(level)
    return own is None or own.st_uid != disk.uid or bool(own.st_mode & stat.S_IWOTH)


def _is_ours(claim: Claim, level: bytes, facts: Facts) -> bool:
    for path in (*claim.evidence, *(() if claim.prefix is None else (claim.prefix,))):
        for look in (facts.disk.lstat(path), facts.disk.stat(path)):
            if look is not None and look.st_uid not in {facts.disk.uid, 0}:
                facts.note(claim.rule, "skipped", fault(look, facts.disk.uid), level, path)
                return False
    return True


def _age_of(claim: Claim, disk: Disk) -> int:
    facts = disk.stat(claim.evidence[0]) if claim.evidence else None
    return 0 if facts is None else facts.st_mtime_ns


def _name(prefix: Prefix, label: bytes) -> str:
    for name in (prefix.prompt, clean(prefix.path.rpartition(b"/")[2].decode("utf-8", "replace"))):
        if name and name not in GENERIC and b"/.direnv/" not in prefix.path:
            return name
    return clean(label.rpartition(b"/")[2].decode("utf-8", "replace")) or prefix.kind


def _shown(found: projects.Markers) -> tuple[str, ...]:
    return tuple(name.decode("utf-8", "replace") for name in found.names)


def _logical(directory: bytes) -> bytes:
    """The path without ``.``, ``..`` and doubled slashes, as ``cd -L`` reads it; a relative one leads nowhere."""
    return os.path.normpath(b"/" + directory.lstrip(b"/")) if directory.startswith(b"/") else b"\0"


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or b"/"
