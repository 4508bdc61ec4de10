"""Evaluates the shape of a line: every simple command with what stands before it, in its own shell or subshell."""

from __future__ import annotations

from dataclasses import replace

from alight.commandline import builtins, fish, posix
from alight.commandline.bearing import assigned, defaults, is_directory, is_test, left, may_be_builtin, seeing
from alight.commandline.childshell import child_shell
from alight.commandline.effects import Called, Cd, Effect, NewShell, Opaque, SetVariable, Wrapper
from alight.commandline.simple import Simple
from alight.commandline.started import Started
from alight.commandline.state import Outcome, State, merged, repeated, same
from alight.commandline.tree import (
    AndOr,
    Block,
    Branches,
    Budget,
    Choice,
    Command,
    Function,
    Loop,
    Node,
    Not,
    Pipeline,
    Sequence,
    Subshell,
    Test,
    Unreadable,
)
from alight.commandline.words import Word, unknown
from alight.commandline.wrappers import strip

COMMANDS_LIMIT = 128
_HERE = frozenset({"HOME", "CDPATH", "PWD", "OLDPWD"})
"""Variables that change what the command they stand in front of does to the shell."""


class Walk:
    """Walks one line and collects its commands."""

    def __init__(self, budget: Budget) -> None:
        self.commands: list[Simple] = []
        self._budget = budget
        self._depth = 0

    def line(self, text: bytes, state: State, *, typed: bool) -> Outcome:
        """Read ``text`` as a line of the state's shell; raises Unreadable."""
        self._depth += 1
        # Lines within lines are read again and again: their length is work, too.
        self._budget.spend(self._depth, len(text) // 16)
        if state.shell == "fish":
            node = fish.parse(text, self._budget, self._depth, typed=typed)
        else:
            node = posix.parse(text, state.shell, self._budget, self._depth, typed=typed)
        outcome = self._run(node, state)
        self._depth -= 1
        return outcome

    def _run(self, node: Node, state: State) -> Outcome:
        self._depth += 1
        self._budget.spend(self._depth)
        outcome = Outcome(state, state) if state.dead else self._evaluate(node, state)
        self._depth -= 1
        return outcome

    def _evaluate(self, node: Node, state: State) -> Outcome:
        match node:
            case Command():
                return self._command(node, state)
            case Sequence():
                return self._sequence(node, state)
            case AndOr():
                return self._and_or(node, state)
            case Not():
                success, failure = self._run(node.part, state)
                if not same(success, failure):
                    # What is taken to succeed elsewhere is said to fail here.
                    success = failure = state.after(Opaque("alternative"))
                return Outcome(failure, success)
            case Pipeline():
                return self._pipeline(node, state)
            case Block():
                return Outcome(*(left(state, after) for after in self._run(node.part, state)))
            case Subshell():
                outcome = self._run(node.part, state)
                # fish has no subshells: jobs in the background and substitutions change the shell, too.
                return outcome if state.shell == "fish" else Outcome(state, state)
            case Test():
                state = self._nested(node.nested, state)
                sets = [SetVariable(name, unknown("arithmetic"), None) for name in node.sets]
                return Outcome(state.after(*sets), state.after(*sets))
            case Branches():
                return self._branches(node, state)
            case Choice():
                return self._choice(node, state)
            case Loop():
                return self._loop(node, state)
            case Function():
                named = frozenset() if node.name is None else frozenset({node.name})
                state = replace(state, functions=state.functions | named)
                state = state if named else state.after(Opaque("function"))
                return Outcome(state, state)

    def _nested(self, nodes: tuple[Node, ...], state: State) -> State:
        for node in nodes:
            after = self._run(node, replace(state, piped=False)).success
            state = after if state.shell == "fish" else state
        return state

    def _sequence(self, node: Sequence, state: State) -> Outcome:
        outcome = Outcome(state, state)
        for part in node.parts:
            outcome = self._run(part, outcome.success)
            if isinstance(part, AndOr) and is_test(part.first) and not same(*outcome):
                outcome = Outcome(replace(outcome.success, presumed=True), outcome.failure)
            if outcome.success.dead and not outcome.failure.dead:
                # ``[ … ] && exit``: what follows runs where the test failed.
                outcome = Outcome(outcome.failure, outcome.failure)
        return outcome

    def _and_or(self, node: AndOr, state: State) -> Outcome:
        success, failure = self._run(node.first, state)
        for operator, part in node.rest:
            if operator == "&&":
                success, other = self._run(part, success)
                failure = merged(failure, other)
                continue
            then, other = self._run(part, failure.maybe())
            if success.dead:
                success = then
            elif not then.dead and not same(then, failure):
                success = replace(merged(success, then), conditional=success.conditional)
            failure = other
        conditional = state.conditional
        return Outcome(success, replace(failure, conditional=conditional))

    def _pipeline(self, node: Pipeline, state: State) -> Outcome:
        *first, last = node.parts
        if state.shell == "fish":
            return self._fish_pipeline(node, state)
        for at, part in enumerate(first):
            self._run(part, replace(state, piped=at > 0 or state.piped))
        outcome = self._run(last, replace(state, piped=True))
        if state.shell != "zsh":
            return Outcome(state, state)
        return Outcome(*(replace(after, piped=state.piped) for after in outcome))

    def _fish_pipeline(self, node: Pipeline, state: State) -> Outcome:
        """All parts run in the shell itself, and which of them starts first is its own affair."""
        begin = len(self.commands)
        current, dead = state, False
        for at, part in enumerate(node.parts):
            current = self._run(part, replace(current, dead=False, piped=at > 0 or state.piped)).success
            dead = dead or current.dead
        current = replace(current, dead=dead, piped=state.piped)
        if not same(current, state):
            self._put(begin, state, (Opaque("alternative"),))
            current = current.after(Opaque("alternative"))
        return Outcome(current, current)

    def _put(self, begin: int, state: State, added: tuple[Effect, ...]) -> None:
        """Put effects behind those of ``state``, for all commands found since ``begin``."""
        at = len(state.effects)
        for index in range(begin, len(self.commands)):
            found = self.commands[index]
            effects = (*found.effects[:at], *added, *found.effects[at:])
            self.commands[index] = replace(found, effects=effects)

    def _branches(self, node: Branches, state: State) -> Outcome:
        current, ends = state, None
        for condition, body in node.arms:
            holds, current = self._run(condition, current)
            end = left(state, self._run(body, holds.maybe()).success)
            ends = end if ends is None else merged(ends, end)
            current = current.maybe()
        end = current if node.otherwise is None else left(state, self._run(node.otherwise, current).success)
        end = end if ends is None else merged(ends, end)
        end = replace(end, conditional=state.conditional)
        return Outcome(end, end)

    def _choice(self, node: Choice, state: State) -> Outcome:
        state = self._nested(node.nested, state)
        end = state
        for body in node.bodies:
            end = merged(end, left(state, self._run(body, state.maybe()).success))
        end = replace(end, conditional=state.conditional)
        return Outcome(end, end)

    def _loop(self, node: Loop, state: State) -> Outcome:
        state = self._nested(node.nested, state)
        if node.variable is not None:
            only = node.items[0] if node.items and len(node.items) == 1 and node.items[0].single else unknown("loop")
            state = state.after(SetVariable(node.variable, only, None))
        begin = len(self.commands)
        holds = state if node.condition is None else self._run(node.condition, state).success
        end = left(state, self._run(node.body, holds.maybe()).success)
        added = repeated(state, end)
        if not added:
            return Outcome(state, state)
        self._put(begin, state, added)
        state = state.after(*added)
        state = replace(state, functions=state.functions | end.functions)
        return Outcome(state, state)

    def _command(self, node: Command, state: State) -> Outcome:
        if len(self.commands) > COMMANDS_LIMIT:
            raise Unreadable("too many commands")
        if node.nested and node.assignments and state.shell == "fish":
            names = sorted({given.name for given in node.assignments})
            state = state.after(*(SetVariable(name, unknown("parameter"), None) for name in names))
        state = self._nested(node.nested, state)
        before = state
        state = state.after(*defaults(node))
        settings = tuple(assigned(given, state, lasting=not node.words) for given in node.assignments)
        if not node.words:
            return Outcome(state.after(*settings), state)
        if node.words[0].text in (b"exit", b"logout", b"return", b"set", b"eval") or state.functions:
            own = self._keyword(node, state)
            if own is not None:
                return own
        if settings and state.shell == "fish":
            node = replace(node, words=tuple(seeing(typed, settings) for typed in node.words))
        wrappers = (Wrapper("assignments", settings),) if settings else ()
        outcome = Outcome(state, before)
        for started in strip(node.words, state.shell):
            outcome = self.start(replace(started, wrappers=(*wrappers, *started.wrappers)), node, state)
        return outcome

    def _keyword(self, node: Command, state: State) -> Outcome | None:
        """Commands that change how the rest of the line is read."""
        name = node.words[0].text
        if name is not None and name in state.functions:
            after = state.after(Opaque("function"))
            return Outcome(after, after)
        if name in (b"exit", b"logout") or (name == b"return" and state.shell in {"zsh", "fish"}):
            dead = replace(state, dead=True)
            return Outcome(dead, dead)
        if name == b"set" and state.shell != "fish":
            return self._set(node, state)
        if name == b"eval":
            settings = [assigned(given, state, lasting=False) for given in node.assignments]
            success, failure = self._eval(node.words[1:], state.after(*settings), direct=True)
            # They end with the command; what they were before is not looked up.
            gone = [SetVariable(given.name, unknown("parameter"), None) for given in settings]
            return Outcome(success.after(*gone), failure.after(*gone))
        return None

    def _set(self, node: Command, state: State) -> Outcome:
        texts = [typed.text or b"" for typed in node.words[1:]]
        for at, text in enumerate(texts):
            named = text in (b"-o", b"+o") and texts[at + 1 : at + 2] == [b"allexport"]
            if text[:1] not in (b"-", b"+") or text in (b"-", b"--"):
                break
            if named or (b"a" in text and not text.startswith(b"--")):
                state = replace(state, export_all=text.startswith(b"-"))
        return Outcome(state, state)

    def _eval(self, words: tuple[Word, ...], state: State, *, direct: bool) -> Outcome:
        texts = [typed.text for typed in words]
        if texts[:1] == [b"--"]:
            del texts[0]
        if direct and None not in texts:
            text = b" ".join(text for text in texts if text is not None)
            return self.line(text, state, typed=False)
        after = state.after(Opaque("eval"))
        return Outcome(after, after)

    def start(self, started: Started, node: Command, state: State) -> Outcome:
        """Note one command that ``node`` starts, or what it does to its shell."""
        if not started.words:
            return Outcome(state, state)
        first = started.words[0]
        # A function by the name the shell looks up; programs start programs.
        by_name = not started.external and not started.direct and not started.builtin
        own = not started.external and not started.is_program
        if by_name and first.text is not None and first.text in state.functions:
            after = state.after(Opaque("function"))
            return Outcome(after, after)
        if own and first.text == b"eval":
            return self._eval(started.words[1:], state, direct=len(started.wrappers) == 0)
        if own and first.text == b"exit":
            dead = replace(state, dead=True)
            return Outcome(dead, dead)
        effects = builtins.effects(started.words, state.shell) if own else None
        if effects is not None:
            return self._changed(effects, started, state)
        if own and may_be_builtin(first):
            changed = self._program(started, node, state, by_name=by_name).success.after(Opaque("eval"))
            return Outcome(changed, changed)
        if started.builtin:
            return Outcome(state, state)
        return self._program(started, node, state, by_name=by_name)

    def _changed(self, effects: tuple[Effect, ...], started: Started, state: State) -> Outcome:
        settings = [effect for wrapper in started.wrappers for effect in wrapper.effects]
        if any(isinstance(effect, SetVariable) and effect.name in _HERE for effect in settings) and any(
            isinstance(effect, Cd) for effect in effects
        ):
            effects = (Opaque("assignment"),)
        if started.detached:
            return Outcome(state, state)
        after = state.after(*((Opaque("loop"),) if started.conditional and effects else effects))
        return Outcome(after, state)

    def _program(self, started: Started, node: Command, state: State, *, by_name: bool) -> Outcome:
        first = started.words[0]
        child = child_shell(started.words)
        conditional = state.conditional or started.conditional
        if child is not None:
            entered = NewShell(child.shell, started.wrappers, child.login, child.interactive)
            inner = State(child.shell, state.effects, conditional, state.presumed, piped=state.piped).after(entered)
            self.line(child.text, inner, typed=False)
        else:
            self.commands.append(
                Simple(
                    started.words,
                    state.effects,
                    started.wrappers,
                    conditional,
                    state.presumed,
                    state.shell,
                    node.redirected,
                    state.piped,
                    node.stray,
                )
            )
        if started.replaces:
            dead = replace(state, dead=True)
            return Outcome(dead, dead)
        after = state
        if by_name and first.text is not None and b"/" not in first.text:
            called = Called(first.text)
            after = state if called in state.effects[-8:] else state.after(called)
        if by_name and not started.wrappers and len(started.words) == 1 and is_directory(first):
            return Outcome(after.after(Cd(first, implicit=True)), after)
        return Outcome(after, after)
