"""The operations of a plan, in the order in which a hook does them (PROTOCOL 5)."""

from __future__ import annotations

from collections.abc import Mapping

from alight.activation import conda, interpreter, repair, scripts, stack
from alight.activation.changes import Changes, changes
from alight.activation.ownership import Decision
from alight.activation.session import Session
from alight.model import Answer, Environment
from alight.systems.base import Facts
from alight.wire.limits import MAX_FRAMES

COUNT_LIMIT = MAX_FRAMES - 30
"""Operations in one plan; its other fields and the reply's own take the rest."""

OCTETS_LIMIT = 40 * 1024


def of_plan(session: Session, answer: Answer, decision: Decision, facts: Facts, *, wrapper: bool) -> tuple[bytes, ...]:
    """Everything the hook does for this decision; ``wrapper`` says that virtualenvwrapper's hooks are wanted."""
    taken = _taken(session, decision, facts)
    if decision.action == "enter":
        return (*taken, *written(_entering(session, answer, decision, facts, wrapper=wrapper)))
    if decision.action == "clean":
        return tuple(taken)
    # Not for what the user switched on without having allowed it: its files are theirs to run.
    kept = decision.action == "keep" and session.applied and decision.owner != "user"
    if kept or (decision.action == "adopt" and decision.owner == "alight"):
        environment = answer.resolution.environment
        prefix = environment.prefix if decision.action == "adopt" and environment is not None else session.applied
        return written(_on_the_way_out(prefix, session, facts, wrapper=wrapper))
    return ()


def cannot_follow(session: Session, answer: Answer, decision: Decision) -> bool:
    """Whether conda's stack is deeper than the shell tells: what is on has to go before anything can be entered."""
    environment = answer.resolution.environment
    if decision.action != "enter" or environment is None or environment.kind != "conda":
        return False
    return _before(session, decision) is None


def fits(operations: tuple[bytes, ...]) -> bool:
    """Whether a reply can carry them."""
    return len(operations) <= COUNT_LIMIT and sum(map(len, operations)) <= OCTETS_LIMIT


def entering(
    environment: Environment,
    variables: Mapping[str, bytes],
    shell: str,
    facts: Facts,
    *,
    root: bytes = b"",
    settled: bool = True,
    wrapper: bool = False,
) -> Changes:
    """What switching this environment of the project at ``root`` on changes in a shell with these variables."""
    if environment.kind == "conda":
        return conda.activation(environment, variables, shell, facts, root=root, settled=settled)
    wanted = changes(environment, variables, shell, facts.disk)
    return scripts.wrapped(wanted, environment.prefix, facts) if wrapper and shell != "fish" else wanted


def written(wanted: Changes) -> tuple[bytes, ...]:
    """The changes as operations."""
    return (
        *(b"run " + file for file in wanted.run_first),
        *(f"save {name}={other}".encode() for name, other in wanted.save),
        *(b"set " + name.encode() + b"=" + value for name, value in wanted.set),
        *(b"unset " + name.encode() for name in wanted.unset),
        *(b"path-remove " + directory for directory in wanted.path_remove),
        *(b"path-add " + directory for directory in reversed(wanted.path_add)),
        *(b"path-replace " + old + b":" + new for old, new in wanted.path_replace),
        *(b"run " + file for file in wanted.run),
        *(b"on-leave " + file for file in wanted.on_leave),
        *(b"after-leave " + file for file in wanted.after_leave),
    )


def _entering(session: Session, answer: Answer, decision: Decision, facts: Facts, *, wrapper: bool) -> Changes:
    environment = answer.resolution.environment
    before, root = _before(session, decision) or {}, answer.resolution.root
    if environment is not None:
        settled = not decision.dropped or decision.dropped != session.variables.get("CONDA_PREFIX")
        return entering(environment, before, session.shell, facts, root=root, settled=settled, wrapper=wrapper)
    lone = interpreter.wanted(answer, session.variables)
    return interpreter.changes(lone) if lone is not None else Changes()


def _on_the_way_out(prefix: bytes, session: Session, facts: Facts, *, wrapper: bool) -> Changes:
    on_top = session.variables.get("CONDA_PREFIX", b"")
    # The same prefix by whatever path, when it is adopted.
    if on_top and not session.variables.get("VIRTUAL_ENV") and (on_top == prefix or not session.applied):
        return conda.leaving(session.variables, session.shell, facts)
    if not wrapper or session.shell == "fish":
        return Changes()
    found = scripts.wrapped(Changes(), prefix, facts)
    return Changes(on_leave=found.on_leave, after_leave=found.after_leave)


def _taken(session: Session, decision: Decision, facts: Facts) -> list[bytes]:
    operations = repair.mending(session.variables, facts.disk) if decision.mended else []
    if decision.dropped:
        variables = stack.without(session.variables) if decision.mended else session.variables
        operations += repair.dropping(decision.dropped, variables, facts)
    return operations


def _before(session: Session, decision: Decision) -> dict[str, bytes] | None:
    """The variables after the hook undid what it must and before it enters; None when the shell did not tell them."""
    variables: dict[str, bytes] | None = dict(session.variables)
    gone = session.applied or decision.dropped
    if decision.mended:
        variables = stack.without(session.variables)
    elif gone and session.variables.get("CONDA_PREFIX") == gone:
        variables = stack.popped(session.variables)
    if variables is None:
        return None
    if gone:
        own_entry = gone + b"/lib/pkgconfig"
        first, separator, rest = variables.get("PKG_CONFIG_PATH", b"").partition(b":")
        if first == own_entry:
            variables["PKG_CONFIG_PATH"] = rest if separator else b""
    if session.applied:
        # Undo brings back a PYTHONHOME that was set before; only the hook knows, so it is always cleared again.
        variables.setdefault("PYTHONHOME", b"?")
    return variables
