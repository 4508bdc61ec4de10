"""pixi: a workspace's environments, in its ``.pixi/envs`` or detached in the user's cache (discovery rules 1.8)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from alight.files.disk import join
from alight.model import WouldCreate
from alight.systems import pixiworkspace, prefixes
from alight.systems.base import MISSING, TOOL, Claim, Facts, Prefix, normalise
from alight.systems.pixiworkspace import Workspace
from alight.systems.pyvenv import clean

LOCK = b"pixi.lock"
ENVIRONMENTS = b".pixi/envs"
DEFAULT = b"default"
OTHERS_LIMIT = 16
"""Further environments of one project that are given as alternatives."""

_DETACHED = re.compile(rb"(.*)-\d{1,20}\Z", re.DOTALL)


class Pixi:
    """Workspaces with a pixi manifest."""

    name = "pixi"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """The ``default`` environment of the level's workspace, the others behind it; else what would create it."""
        rule = "pixi-project"
        if not pixiworkspace.is_mentioned(level, facts):
            return None
        workspace = pixiworkspace.workspace_of(level, facts)
        if workspace is None:
            facts.note(rule, "miss", "no manifest here or above says [workspace]", level)
            return None
        root, manifest = workspace.root, workspace.manifest
        lock = join(root, LOCK)
        evidence = (*((lock,) if facts.disk.exists(lock) else ()), manifest)
        directory = environments_directory(workspace, facts)
        found = _environments(directory, facts)
        if not found or found[0].rpartition(b"/")[2] != DEFAULT:
            facts.note(rule, "hit", "`pixi install` would create it", *evidence, directory)
            # A member's own level has nothing to say: pixi looks at the workspace's root only.
            return Claim(rule, MISSING if root == level else TOOL, "high", None, root, evidence, self.name,
                         would_create=WouldCreate("pixi install", join(root, ENVIRONMENTS + b"/" + DEFAULT)),
                         others=_claims(found, workspace, evidence, MISSING, facts))  # fmt: skip
        facts.note(rule, "hit", "pixi uses this environment", *evidence, found[0])
        facts.findings.extend(pixiworkspace.ignored(workspace))
        first, *others = _claims(found, workspace, evidence, TOOL, facts)
        return Claim(rule, TOOL, first.confidence, first.prefix, root, first.evidence, self.name, first.linked,
                     others=tuple(others))  # fmt: skip

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A prefix with ``conda-meta/pixi``, whatever is in that file."""
        if not facts.disk.is_file(join(prefix, prefixes.BACK_LINK)):
            return None
        return prefixes.describe(prefix, self.name, clean(name_of(prefix, facts)), facts.disk)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Detached environments, and those of ``pixi global``."""
        for pool in detached_directories(facts):
            for project in facts.disk.folders(pool):
                if _DETACHED.match(project):
                    yield from _environments(join(pool, project + b"/envs"), facts)
        yield from _environments(join(home_of(facts), b"envs"), facts)

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """Where detached environments' projects appear, and ``~/.pixi/envs``."""
        return (*detached_directories(facts), join(home_of(facts), b"envs"))


def environments_directory(workspace: Workspace, facts: Facts) -> bytes:
    """Where the workspace's environments lie: ``.pixi/envs``, what that is a link to, or the detached directory."""
    directory = join(workspace.root, ENVIRONMENTS)
    if facts.disk.readlink(directory) is not None:
        return facts.disk.realpath(directory)
    for pool in _detached(workspace.root, facts):
        # Its name ends in a hash of the root; the environments in it say whose they are.
        label = (prefixes.octets(workspace.name) or b"") + b"-"
        for name in facts.disk.folders(pool):
            below = join(pool, name + b"/envs")
            if name.startswith(label) and _DETACHED.match(name):
                for prefix in _environments(below, facts):
                    if prefixes.is_linked(prefix, workspace.manifest, facts):
                        return below
    return directory


def detached_directories(facts: Facts) -> tuple[bytes, ...]:
    """The directories in which this user's pixi keeps detached environments, whether or not it is told to."""
    cache = facts.cache_home()
    chosen = _user_setting(facts)
    own = (chosen,) if isinstance(chosen, bytes) else ()
    return tuple(dict.fromkeys((*own, join(cache, b"pixi/envs"), join(cache, b"rattler/cache/envs"))))


def home_of(facts: Facts) -> bytes:
    """``$PIXI_HOME`` or its default."""
    return facts.override_path("PIXI_HOME") or join(facts.home, b".pixi")


def name_of(prefix: bytes, facts: Facts) -> str:
    """What pixi's prompt and ``CONDA_DEFAULT_ENV`` say: the project, ``project:environment``, or a global tool's name.

    The manifest is read only when the environment lies in its directory: elsewhere the environment could name any
    file, and the detached directory's own name tells the project.
    """
    directory, _, last = prefix.rpartition(b"/")
    link = prefixes.back_link(prefix, facts)
    environment = link.environment if link is not None else os.fsdecode(last)
    root = directory.removesuffix(b"/" + ENVIRONMENTS)
    if directory == join(home_of(facts), b"envs"):
        return os.fsdecode(last)
    if root != directory:
        workspace = pixiworkspace.at(root, facts) if root else None
        project = workspace.name if workspace is not None else os.fsdecode(root.rpartition(b"/")[2])
    else:
        owner = directory.rpartition(b"/")[0].rpartition(b"/")[2]
        match = _DETACHED.match(owner)
        project = os.fsdecode(match.group(1) if match else owner)
    return project if environment == os.fsdecode(DEFAULT) else f"{project}:{environment}"


def project_variables(prefix: bytes, root: bytes, facts: Facts) -> dict[str, bytes]:
    """The variables pixi sets for this environment of the workspace at ``root``; {} when there is no workspace.

    Everything but ``PIXI_EXE`` and the PATH of ``conda``'s own rules. Platforms are those of the workspace that every
    feature of the environment allows, in the manifest's order (pixi's own order is arbitrary).
    """
    workspace = pixiworkspace.at(root, facts)
    if workspace is None:
        return {}
    link = prefixes.back_link(prefix, facts)
    environment = link.environment if link is not None else os.fsdecode(prefix.rpartition(b"/")[2])
    name = workspace.name if environment == "default" else f"{workspace.name}:{environment}"
    real = facts.disk.realpath(root)
    texts = {
        "PIXI_PROJECT_NAME": workspace.name,
        "PIXI_PROJECT_VERSION": workspace.text("version") or "NO_VERSION_SPECIFIED",
        "PIXI_ENVIRONMENT_NAME": environment,
        "PIXI_ENVIRONMENT_PLATFORMS": ",".join(pixiworkspace.platforms(workspace, environment)),
        "PIXI_PROMPT": f"({name}) ",
        "CONDA_DEFAULT_ENV": name,
    }
    values = {key: prefixes.octets(text) for key, text in texts.items()}
    return {
        "PIXI_PROJECT_ROOT": real,
        "PIXI_PROJECT_MANIFEST": join(real, workspace.manifest.rpartition(b"/")[2]),
        "PIXI_IN_SHELL": b"1",
        **{key: value for key, value in values.items() if value is not None},
    }


def _environments(directory: bytes, facts: Facts) -> tuple[bytes, ...]:
    """The prefixes below ``directory``, ``default`` first."""
    found = [
        prefix for name in facts.disk.folders(directory) if prefixes.stands(prefix := join(directory, name), facts.disk)
    ]
    return tuple(sorted(found, key=lambda prefix: not prefix.endswith(b"/" + DEFAULT)))


def _claims(
    found: tuple[bytes, ...], workspace: Workspace, evidence: tuple[bytes, ...], rank: int, facts: Facts
) -> tuple[Claim, ...]:
    pools = tuple(join(facts.disk.realpath(pool), b"") for pool in detached_directories(facts))
    claims = []
    for prefix in found[: OTHERS_LIMIT + 1]:
        own = prefixes.is_linked(prefix, workspace.manifest, facts)
        pooled = prefix.startswith(pools) and not prefix.startswith(join(workspace.root, b""))
        claims.append(Claim("pixi-project", rank, "high", prefix, workspace.root,
                            (*evidence, join(prefix, prefixes.BACK_LINK)), "pixi", own and pooled))  # fmt: skip
    return tuple(claims)


def _detached(root: bytes, facts: Facts) -> tuple[bytes, ...]:
    """Where ``detached-environments`` puts this project's environments: candidates, or none when it is off."""
    # One look at the folder tells of all that is not in it.
    facts.disk.stat(join(root, b".pixi"))
    setting = _setting(join(root, b".pixi/config.toml"), facts)
    if setting is None:
        setting = _user_setting(facts)
    if isinstance(setting, bytes):
        return (setting,)
    return detached_directories(facts) if setting else ()


def _user_setting(facts: Facts) -> bool | bytes | None:
    """``detached-environments`` of the user's own configuration, nearest first."""
    directories = (home_of(facts), join(facts.config_home(), b"pixi"), b"/etc/pixi")
    for directory in dict.fromkeys(directories):
        setting = _setting(join(directory, b"config.toml"), facts)
        if setting is not None:
            return setting
    return None


def _setting(path: bytes, facts: Facts) -> bool | bytes | None:
    if not facts.disk.is_file(path):
        return None
    value = facts.documents.table(path, mention=b"detached").get("detached-environments")
    if isinstance(value, bool):
        return value
    written = prefixes.octets(value) or b""
    if written == b"~" or written.startswith(b"~/"):
        written = facts.home + written[1:]
    return normalise(written) if written.startswith(b"/") else None
