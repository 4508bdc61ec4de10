"""The JSON contracts: one function per shape, keys in the order of the documents."""

from __future__ import annotations

from collections.abc import Sequence

from alight.cli.render import text_of
from alight.model import (
    Answer,
    Environment,
    Finding,
    Install,
    Interpreter,
    Landing,
    Project,
    Resolution,
    Step,
    WouldCreate,
)
from alight.wire.messages import Header
from alight.wire.requests import Decision, StatusReply

Shape = dict[str, object]


def answer_shape(answer: Answer, *, trail: bool = False) -> Shape:
    """``env --json``; with ``trail``, ``why --json``."""
    found: Resolution = answer.resolution
    shape: Shape = {
        "directory": text_of(found.directory),
        "project": None if found.project is None else project_shape(found.project),
        "environment": None
        if found.environment is None or answer.state in ("none", "missing")
        else environment_shape(found.environment),
        "interpreter": None if found.interpreter is None else interpreter_shape(found.interpreter),
        "state": answer.state,
        "would_create": would_create_shape(found.would_create) if answer.state == "missing" else None,
        "rule": found.rule,
        "confidence": found.confidence,
        "evidence": paths_shape(found.evidence),
        "alternatives": [
            {"rule": other.rule, "environment": environment_shape(other.environment)} for other in found.alternatives
        ],
        "findings": [finding_shape(finding) for finding in found.findings],
    }
    if trail:
        shape["trail"] = [step_shape(step) for step in found.trail]
    return shape


def project_shape(project: Project) -> Shape:
    """``project`` of ``env --json``."""
    return {"root": text_of(project.root), "markers": list(project.markers), "system": project.system}


def environment_shape(environment: Environment) -> Shape:
    """One environment, wherever one appears."""
    return {
        "prefix": text_of(environment.prefix),
        "kind": environment.kind,
        "system": environment.system,
        "name": environment.name,
        "python_version": environment.python_version,
        "interpreter": text_of(environment.interpreter),
        "base": None if environment.base is None else text_of(environment.base),
        "site_packages": paths_shape(environment.site_packages),
        "health": [finding_shape(finding) for finding in environment.health],
    }


def interpreter_shape(interpreter: Interpreter) -> Shape:
    """One base interpreter."""
    return {
        "executable": text_of(interpreter.executable),
        "prefix": text_of(interpreter.prefix),
        "python_version": interpreter.python_version,
        "origin": interpreter.origin,
        "externally_managed": interpreter.externally_managed,
    }


def would_create_shape(plan: WouldCreate | None) -> Shape | None:
    """What would make the missing environment."""
    return None if plan is None else {"command": plan.command, "prefix": text_of(plan.prefix)}


def finding_shape(finding: Finding) -> Shape:
    """One entry of ``health`` or ``findings``."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "evidence": paths_shape(finding.evidence),
    }


def step_shape(step: Step) -> Shape:
    """One entry of the trail."""
    return {"rule": step.rule, "outcome": step.outcome, "paths": paths_shape(step.paths), "reason": step.reason}


def install_shape(install: Install) -> Shape:
    """One entry of ``check --json``."""
    expected = install.expected
    return {
        "tool": install.tool,
        "action": install.action,
        "argv": paths_shape(install.argv),
        "directory": text_of(install.directory),
        "landing": None if install.landing is None else landing_shape(install.landing),
        "expected": None if expected is None else {"prefix": text_of(expected.prefix), "exists": expected.exists},
        "verdict": install.verdict,
        "confidence": install.confidence,
        "reason": install.reason,
        "because": list(install.because),
        "message": install.message,
        "instead": None if install.instead is None else paths_shape(install.instead),
    }


def landing_shape(landing: Landing) -> Shape:
    """Where an install lands."""
    return {
        "interpreter": None if landing.interpreter is None else text_of(landing.interpreter),
        "prefix": text_of(landing.prefix),
        "scheme": landing.scheme,
        "purelib": None if landing.purelib is None else text_of(landing.purelib),
        "kind": landing.kind,
        "name": landing.name,
        "exists": landing.exists,
    }


def daemon_shape(header: Header, status: StatusReply) -> Shape:
    """``daemon`` of ``status --json``."""
    return {
        "pid": status.pid,
        "version": header.version,
        "epoch": header.stamp.epoch,
        "generation": header.stamp.generation,
        "degraded": list(status.degraded),
    }


def decision_shape(decision: Decision) -> Shape:
    """One entry of ``trust --list --json``."""
    return {
        "identifier": decision.identifier,
        "decision": decision.decision,
        "root": text_of(decision.root),
        "prefix": text_of(decision.prefix),
        "tool": decision.tool or None,
        "since": decision.since,
    }


def paths_shape(paths: Sequence[bytes]) -> list[str]:
    """Paths as text that round-trips through ``os.fsencode``."""
    return [text_of(path) for path in paths]
