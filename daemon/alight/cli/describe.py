"""An answer in words: the short block of ``env``, and what to do next."""

from __future__ import annotations

from alight.cli import render
from alight.cli.render import shown, styled, text_of
from alight.model import Answer, Environment, Finding

_COLOURS = {"trusted": "green", "untrusted": "yellow", "denied": "yellow", "missing": "yellow", "broken": "red"}
_SAID = {
    "none": "no environment belongs here",
    "missing": "the project has no environment yet",
    "broken": "there, but cannot be used",
    "denied": "denied by you",
    "untrusted": "not trusted yet",
    "trusted": "trusted",
}


def show_answer(answer: Answer) -> None:
    """One short block: prefix, Python, system, state, why, and the next step."""
    found = answer.resolution
    pairs = [("folder", text_of(found.directory))]
    if found.project is not None and found.project.root != found.directory:
        pairs.append(("project", text_of(found.project.root)))
    if found.environment is not None:
        pairs += _environment_pairs(found.environment)
    if found.interpreter is not None:
        pairs.append(("interpreter", f"{text_of(found.interpreter.executable)} ({found.interpreter.python_version})"))
    if found.would_create is not None and answer.state == "missing":
        pairs.append(("would be", text_of(found.would_create.prefix)))
    pairs.append(("state", state_line(answer)))
    if found.rule:
        because = f" ({', '.join(map(text_of, found.evidence))})" if found.evidence else ""
        pairs.append(("why", f"{found.rule}, {found.confidence}{because}"))
    render.fields(pairs)
    show_findings((*found.findings, *(found.environment.health if found.environment is not None else ())))
    step = next_step(answer)
    if step:
        render.line(styled("next", fg=_COLOURS.get(answer.state, "white")), render.clean(step))


def state_line(answer: Answer) -> str:
    """The state and what it means."""
    return f"{answer.state}: {answer.reason or _SAID[answer.state]}"


def show_findings(findings: tuple[Finding, ...]) -> None:
    """One line per finding, errors as such."""
    for finding in findings:
        colour = {"error": "red", "warning": "yellow", "info": "blue"}[finding.severity]
        where = f" ({', '.join(map(shown, finding.evidence))})" if finding.evidence else ""
        render.line(styled(f"{finding.severity}:", fg=colour), render.clean(finding.message) + where)


def next_step(answer: Answer) -> str:
    """What the user can do about this answer, or nothing."""
    found = answer.resolution
    if answer.state in ("untrusted", "denied"):
        return "alight allow"
    if answer.state == "missing":
        return found.would_create.command if found.would_create is not None else "make the environment"
    if answer.state == "broken":
        prefix = text_of(found.environment.prefix) if found.environment is not None else "the environment"
        remake = found.would_create.command if found.would_create is not None else "make it"
        return f"remove {prefix} and {remake} again"
    if answer.state == "none":
        return "python3 -m venv .venv makes one here"
    return ""


def title(environment: Environment) -> str:
    """Name and Python of an environment, in a few words."""
    version = f" (Python {environment.python_version})" if environment.python_version else ""
    return f"{environment.name}{version}"


def _environment_pairs(environment: Environment) -> list[tuple[str, str]]:
    python = environment.python_version or "unknown version"
    kind = "" if environment.system == environment.kind else f" ({environment.kind})"
    return [
        ("environment", text_of(environment.prefix)),
        ("python", f"{python}, {text_of(environment.interpreter)}"),
        ("made by", f"{environment.system}{kind}"),
    ]
