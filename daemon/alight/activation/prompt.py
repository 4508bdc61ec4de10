"""What a prompt shows: the state, and one short ready-made text."""

from __future__ import annotations

from alight.model import Answer, Environment, PromptState
from alight.text import display


def prompt_state(answer: Answer, active: Environment | None, *, own: bool, on: bool) -> PromptState:
    """The first state of design section 5 that holds.

    ``active`` is what the shell has on after the plan, ``own`` says that it is the answer's, ``on`` that any is.
    """
    resolution = answer.resolution
    contradicted = any(finding.code in ("requires-python", "pinned-python") for finding in resolution.findings)
    if on and not own and resolution.condition != "none":
        return "mismatch"
    if on and own and contradicted:
        return "mismatch"
    if answer.state == "broken":
        return "broken"
    if on or active is not None:
        return "active"
    if resolution.environment is not None and resolution.environment.kind == "pep582":
        return "none"  # python itself uses it, there is nothing to switch on
    if answer.state in ("untrusted", "denied"):
        return "untrusted"
    if answer.state == "trusted":
        return "inactive"
    return "none"


def prompt_text(state: PromptState, shown: Environment | None, expected: str) -> str:
    """The segment's text, without escapes; "" when there is nothing to say.

    ``expected`` names the project's environment, for a mismatch with another one.
    """
    if shown is None:
        return ""
    name = display(shown.name)
    version = f" {shown.python_version}" if shown.python_version else ""
    match state:
        case "mismatch":
            other = display(expected)
            return f"({name} != {other})" if other and other != name else f"({name}{version} !)"
        case "broken":
            return f"({name} broken)"
        case "untrusted":
            return f"({name} untrusted)"
        case "inactive":
            return f"({name} off)"
        case "active":
            return f"({name}{version})"
        case _:
            return ""


def escaped(text: str, shell: str) -> str:
    """``text`` for use inside that shell's prompt: zsh expands ``%`` even in substituted values."""
    return text.replace("%", "%%") if shell == "zsh" else text
