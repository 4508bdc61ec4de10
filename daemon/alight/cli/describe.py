"""An answer in words: the short block of ``env``, and what to do next."""

from __future__ import annotations

from alight.cli.advice import creation
from alight.cli.render import Field, text_of
from alight.model import Answer, Environment, Finding
from alight.trust.judge import may_be_allowed

_COLOURS = {"trusted": "green", "untrusted": "yellow", "denied": "yellow", "missing": "yellow", "broken": "red"}
_SEVERITIES = {"error": "red", "warning": "yellow", "info": "blue"}
_SAID = {
    "none": "no environment belongs here",
    "missing": "the project has no environment yet",
    "broken": "there, but cannot be used",
    "denied": "denied by you",
    "untrusted": "not trusted yet",
    "trusted": "trusted",
}


def answer_fields(answer: Answer) -> list[Field]:
    """One short block: folder, prefix, Python, maker, state, why, what is wrong, and the next step."""
    found = answer.resolution
    fields = [Field("folder", text_of(found.directory))]
    if found.project is not None and found.project.root != found.directory:
        fields.append(Field("project", text_of(found.project.root)))
    if found.environment is not None:
        fields += _environment_fields(found.environment)
    if found.interpreter is not None:
        interpreter = f"{text_of(found.interpreter.executable)} ({found.interpreter.python_version})"
        fields.append(Field("interpreter", interpreter))
    if found.would_create is not None and found.would_create.prefix and answer.state == "missing":
        fields.append(Field("would be", text_of(found.would_create.prefix)))
    fields.append(Field("state", state_line(answer), _COLOURS.get(answer.state, "")))
    if found.rule:
        because = f" ({', '.join(map(text_of, found.evidence))})" if found.evidence else ""
        fields.append(Field("why", f"{found.rule}, {found.confidence}{because}"))
    health = found.environment.health if found.environment is not None else ()
    fields += map(_finding_field, (*found.findings, *health))
    step = next_step(answer)
    return [*fields, Field("next", step)] if step else fields


def state_line(answer: Answer) -> str:
    """The state and what it means."""
    return f"{answer.state}: {answer.reason or _SAID[answer.state]}"


def next_step(answer: Answer) -> str:
    """What the user can do about this answer, or nothing."""
    found = answer.resolution
    if answer.state in ("untrusted", "denied"):
        if may_be_allowed(answer):
            return "alight allow"
        is_pdms = found.environment is not None and found.environment.kind == "pep582"
        return "`pdm run` uses it" if is_pdms else "mend that, then alight allow"
    if answer.state == "missing":
        return found.would_create.command if found.would_create is not None else "make the environment"
    if answer.state == "broken":
        prefix = text_of(found.environment.prefix) if found.environment is not None else "the environment"
        remake = found.would_create.command if found.would_create is not None else "make it"
        return f"remove {prefix} and {remake} again"
    if answer.state == "none":
        return creation(found)
    return ""


def _environment_fields(environment: Environment) -> list[Field]:
    python = environment.python_version or "unknown version"
    kind = "" if environment.system == environment.kind else f" ({environment.kind})"
    return [
        Field("environment", text_of(environment.prefix)),
        Field("python", f"{python}, {text_of(environment.interpreter)}"),
        Field("made by", f"{environment.system}{kind}"),
    ]


def _finding_field(finding: Finding) -> Field:
    where = f" ({', '.join(map(text_of, finding.evidence))})" if finding.evidence else ""
    return Field(finding.severity, finding.message + where, _SEVERITIES[finding.severity])
