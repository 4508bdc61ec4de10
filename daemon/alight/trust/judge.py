"""The one function that joins decisions with resolutions, and the verbs that change decisions."""

from __future__ import annotations

import os
from dataclasses import dataclass

from alight.errors import BadNews, UsageError
from alight.files import ownership
from alight.files.disk import Disk
from alight.model import Answer, Resolution
from alight.text import display_path
from alight.trust import evidence, pins
from alight.trust.pools import Pools
from alight.trust.records import Evidence, Record, Records, identify

UNREADABLE = "it cannot be read"
PACKAGES = "a __pypackages__ is named, never switched on"
CHANGEABLE = "can be changed by others"
"""Reasons, the last at the end of one, that `alight allow` does not overrule."""


def may_be_allowed(answer: Answer) -> bool:
    """Whether `alight allow` would switch an untrusted environment on."""
    return answer.reason not in {UNREADABLE, PACKAGES} and not answer.reason.endswith(CHANGEABLE)


@dataclass(frozen=True)
class Recorded:
    """What a verb did: the sentence for the user, and what they should know about it."""

    message: str
    warnings: tuple[str, ...] = ()


class Judge:
    """Answers whether a resolved environment is trusted, and records what the user decides."""

    def __init__(self, records: Records, uid: int) -> None:
        self.records = records
        self._uid = uid
        self.pools = Pools(records)

    def join(self, resolution: Resolution, disk: Disk) -> Answer:
        """The answer: the first state of none, missing, broken, denied, untrusted, trusted that holds."""
        if resolution.condition in ("none", "missing", "broken") or resolution.environment is None:
            state = "none" if resolution.condition == "found" else resolution.condition
            return Answer(resolution, state, stamp=pins.stamp(resolution, self.records, disk, self._uid))
        root, prefix = _pair(resolution, disk)
        # Every decision is a file in this directory, so its times stand for all of them in the fingerprint.
        disk.stat(os.fsencode(self.records.directory))
        if self.records.find("deny", root, b"") is not None:
            return Answer(resolution, "denied")
        if resolution.environment.kind == "pep582":
            return Answer(resolution, "untrusted", PACKAGES)
        now = evidence.take(disk, resolution)
        if now is None:
            return Answer(resolution, "untrusted", UNREADABLE)
        if offender := self._offender(disk, resolution):
            return Answer(resolution, "untrusted", f"{display_path(offender)} {CHANGEABLE}")
        record = self.records.find("allow", root, prefix)
        if record is not None and record.evidence is not None:
            reason = evidence.difference(record.evidence, now)
            if not reason:
                return Answer(resolution, "trusted", "allowed", self.records.path(record.identifier))
            return Answer(resolution, "untrusted", reason)
        if self.pools.covers(root, prefix, now, resolution):
            return Answer(
                resolution,
                "trusted",
                "it lies in a pool of yours and names this project",
                self.pools.stamp(root, prefix),
            )
        tree = self._tree_over(root, prefix)
        if tree is None:
            return Answer(resolution, "untrusted")
        if now.tracked:
            return Answer(resolution, "untrusted", "git tracks it, so the trusted tree does not cover it")
        if now.shadows:
            names = ", ".join(now.shadows[:4])
            return Answer(resolution, "untrusted", f"its bin holds {names}, so the trusted tree does not cover it")
        return Answer(
            resolution,
            "trusted",
            f"in the trusted tree {display_path(os.fsencode(tree.root))}",
            self.records.path(tree.identifier),
        )

    def allow(self, resolution: Resolution, disk: Disk) -> Recorded:
        """Trust what belongs here; raises BadNews when there is nothing, or nothing that may be trusted."""
        environment = resolution.environment
        if environment is None and (allowed := pins.allow(resolution, self.records, disk, self._uid)):
            return Recorded(allowed)
        if environment is None:
            raise BadNews("there is no environment here to allow", "`alight why` tells what was looked at")
        shown = display_path(environment.prefix)
        if environment.kind == "pep582":
            raise BadNews(f"{shown} is no environment but packages of PDM's", "`pdm run` uses them")
        if resolution.condition == "broken":
            raise BadNews(
                f"{shown} is broken, so that there is nothing to switch on", "`alight why` tells what is wrong"
            )
        root, prefix = _pair(resolution, disk)
        if offender := self._offender(disk, resolution):
            raise BadNews(
                f"{display_path(offender)} belongs to somebody else or can be written by others",
                f"look at it: ls -ld {display_path(offender)}",
            )
        now = evidence.take(disk, resolution)
        if now is None:
            raise BadNews(f"{shown} has no bin directory", "make the environment anew")
        self.records.write("allow", root, prefix, now)
        self.records.remove(_deny_identifier(root))
        return Recorded(f"allowed {shown}", _warnings(now))

    def made(self, resolution: Resolution, disk: Disk) -> bool:
        """Trust an environment the user has just made; False when a standing check speaks against it."""
        if resolution.environment is None or resolution.condition != "found":
            return False
        root, prefix = _pair(resolution, disk)
        now = evidence.take(disk, resolution)
        if now is None or now.tracked or now.shadows or self.records.find("deny", root, b"") is not None:
            return False
        if self._offender(disk, resolution):
            return False
        self.records.write("allow", root, prefix, now)
        return True

    def deny(self, resolution: Resolution, disk: Disk) -> Recorded:
        """Keep what belongs here off, whatever else is recorded."""
        root, prefix = _pair(resolution, disk)
        self.records.write("deny", root, b"", None)
        if prefix:
            allowed = self.records.find("allow", root, prefix)
            if allowed is not None:
                self.records.remove(allowed.identifier)
        return Recorded(f"denied everything in {display_path(root)}; `alight allow` takes it back")

    def trust_tree(self, directory: bytes, disk: Disk) -> Recorded:
        """Trust what lies at or below ``directory``; raises UsageError for what is no directory of ours."""
        tree = disk.realpath(directory)
        if not disk.is_directory(tree):
            raise UsageError(f"{display_path(directory)} is not a directory")
        if tree == b"/":
            raise UsageError("the whole disk cannot be trusted", "name the directory that holds your projects")
        if offender := ownership.first_offender(disk, tree, self._uid):
            raise UsageError(f"{display_path(offender)} can be changed by others, so it cannot be trusted as a tree")
        self.records.write("tree", tree, b"", None)
        return Recorded(f"trusted the environments at and below {display_path(tree)}")

    def revoke(self, which: bytes) -> Recorded:
        """Forget every decision whose identifier, root or prefix is ``which``; raises BadNews when there is none."""
        text = os.fsdecode(which)
        wanted = {text, os.path.realpath(text)} if text.startswith("/") and "\0" not in text else set()
        named = [
            record
            for record in self.records.all()
            if record.root in wanted
            or (record.prefix and record.prefix in wanted)
            or (len(text) >= 6 and record.identifier.startswith(text))
        ]
        gone = [record for record in named if record.decision != "pool"]
        if named and not gone:
            raise BadNews(
                f"{display_path(os.fsencode(named[0].prefix))} is trusted because it lies in a pool of yours and names "
                "its project",
                f"`alight deny {display_path(os.fsencode(named[0].root))}` keeps it off",
            )
        if not gone:
            raise BadNews(f"nothing is recorded about {display_path(which)}", "`alight trust --list` shows what is")
        for record in gone:
            self.records.remove(record.identifier)
        return Recorded("forgot " + "; ".join(map(_said, gone)))

    def _offender(self, disk: Disk, resolution: Resolution) -> bytes | None:
        """Who else decides what PATH would lead to: the environment as it is reached, its bin, and its description."""
        environment = resolution.environment
        if environment is None:
            return None
        described = [environment.prefix + name for name in (b"/pyvenv.cfg", b"/conda-meta")]
        looked_at = [environment.prefix + b"/bin", *(path for path in described if disk.exists(path))]
        offenders = (ownership.first_offender(disk, path, self._uid) for path in looked_at)
        return next((offender for offender in offenders if offender), None)

    def _tree_over(self, root: bytes, prefix: bytes) -> Record | None:
        for record in self.records.trees():
            tree = os.fsencode(record.root)
            if ownership.within(tree, root) and ownership.within(tree, prefix):
                return record
        return None


def _said(record: Record) -> str:
    place = display_path(os.fsencode(record.prefix or record.root))
    return " ".join(filter(None, (record.decision, record.tool, place)))


def _pair(resolution: Resolution, disk: Disk) -> tuple[bytes, bytes]:
    environment = resolution.environment
    root = resolution.root or resolution.directory
    prefix = disk.realpath(environment.prefix) if environment is not None else b""
    return disk.realpath(root), prefix


def _deny_identifier(root: bytes) -> str:
    return identify("deny", root, b"")


def _warnings(now: Evidence) -> tuple[str, ...]:
    found = []
    if now.shadows:
        found.append(f"its bin puts itself in front of: {', '.join(now.shadows)}")
    if now.tracked:
        found.append("git tracks this environment: whoever commits to the repository decides what it holds")
    return tuple(found)
