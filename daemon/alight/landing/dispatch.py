"""From a line to what every installer on it would do: read, folded, found, and asked (landing rules 1.0)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alight.commandline import inner, read
from alight.commandline.simple import Simple
from alight.commandline.words import Literal, Parameter, Word, literal, unknown
from alight.landing import INSTALLERS, RUNNERS, invoked, program, pythonline, substitution
from alight.landing.base import Context, Installer, Prediction, Program, Runner, Words
from alight.landing.fallthrough import explained
from alight.landing.fold import fold
from alight.landing.upcoming import afterwards, is_pending, may_matter, shell_home
from alight.model import Reason
from alight.text import display_path

_PREFIX_TOOLS = frozenset({b"conda", b"mamba", b"micromamba", b"pixi"})
"""Tools that need nothing in an environment to write into it."""

EFFECTS_LIMIT = 400
"""What stands before the commands of a line, summed up: each of them is followed from the start of the line."""

ASKING = 12
"""What it counts to ask an installer, in the same measure."""

INSTALLS_LIMIT = 12
"""Installers on one line that are asked; what is behind them is not known."""

SLASHES_LIMIT = 128
"""Levels of a path that a command names."""

DEPTH_LIMIT = 8
"""Runners in runners, aliases in aliases."""

_PYTHON = re.compile(rb"(?:python|pypy)(?:\d+(?:\.\d+)?t?)?(?:-\w+)?\Z")
_PIP = re.compile(rb"pip(?![\w.-])")
_VERBS = re.compile(rb"\b(?:install|uninstall|add|sync|remove|update|upgrade|develop|pip-sync)\b")

_NAMED = re.compile(
    rb"(?<![\w.-])(?:%s)(?![\w.-])"
    % b"|".join(re.escape(word.encode()) for word in sorted({word for one in INSTALLERS for word in one.words}))
)
_INSTALLERS = {
    word.encode(): [other for other in INSTALLERS if word in other.words] for one in INSTALLERS for word in one.words
}
_RUNNERS = {word.encode(): [other for other in RUNNERS if word in other.words] for one in RUNNERS for word in one.words}

Found = tuple["Simple | None", Context, Prediction]


def predictions(line: bytes, shell: str, caller: Context) -> tuple[Found, ...]:
    """What each installer on the line would do, in the order they run, with the words and the place it runs in.

    Without words (None) when the line cannot be read, and one prediction says that nothing is known of it.
    """
    reading = read(line, shell)
    if not reading.complete:
        return _unread(line, caller)
    found: list[Found] = []
    asker = _Asker(shell)
    current: Context | None = caller
    spent = 0
    for simple in reading.commands:
        if len(found) >= INSTALLS_LIMIT:
            return (*found, (simple, caller, _unknown(found[-1][2].tool, (), "opaque-line")))
        if asker.may_concern(simple, caller):
            spent += ASKING + len(simple.effects)
        elif may_matter(simple):
            spent += 1 + len(simple.effects)
        if current is None or spent > EFFECTS_LIMIT:
            current = None
            found += [(simple, caller, one) for one in asker.unknown(simple, caller, "opaque-line")]
            continue
        answered = list(asker.ask(simple, current, 0))
        found += [_settled(one, found, answered) for one in answered]
        current = afterwards(simple, current, [(where, prediction) for _, where, prediction in answered])
    return tuple(found)


def _unread(line: bytes, caller: Context) -> tuple[Found, ...]:
    """One unknown prediction where the line names an installer and something it does."""
    if not _VERBS.search(line):
        return ()
    named = _NAMED.search(line)
    if named is None:
        return ()
    return ((None, caller, _unknown(_installers(named[0])[0].name, (), "opaque-line")),)


def _settled(one: Found, before: Sequence[Found], own: Sequence[Found]) -> Found:
    """What is missing now may be what an earlier command on the line installs, and where it lands what one makes."""
    simple, context, prediction = one
    landed = [former for _, _, former in before if former.outcome == "lands"]
    missing = prediction.outcome == "stops" and prediction.reason in ("no-such-command", "no-such-module")
    fallen = prediction.reason in ("active-without-pip", "runner-without-pip")
    installed = [word for former in landed if former.action == "install" for word in former.requirements]
    if (missing and landed) or (fallen and any(_PIP.match(word) for word in installed)):
        unknown = replace(prediction, outcome="unknown", reason="opaque-line", landing=None, certainty="unknown")
        return simple, context, unknown
    landing = prediction.landing
    makers = [*landed, *(other for _, _, other in own if other is not prediction and other.outcome == "lands")]
    made = [maker.landing.prefix for maker in makers if maker.creates and maker.landing is not None]
    if landing is not None and landing.prefix in made:
        return simple, context, replace(prediction, fresh=True)
    return one


@dataclass(frozen=True, slots=True)
class _Asker:
    """Finds who is responsible for a command, and asks."""

    shell: str

    def ask(self, simple: Simple, caller: Context, depth: int) -> Iterator[Found]:
        """What one command does: nothing for most, more than one for runners."""
        if not self.may_concern(simple, caller):
            return
        folded = fold(simple, caller)
        if isinstance(folded, str):
            yield from ((simple, caller, one) for one in self.unknown(simple, caller, folded))
            return
        simple = replace(simple, words=tuple(substitution.resolved(word, folded) for word in simple.words))
        argv = simple.argv(folded.shell_variables, shell_home(folded))
        if not argv:
            return
        if is_pending(argv, folded) and argv[0] is not None and argv[0].rpartition(b"/")[2] not in _PREFIX_TOOLS:
            yield from ((simple, folded, one) for one in self.unknown(simple, folded, "opaque-line"))
            return
        if any(word is not None and word.count(b"/") > SLASHES_LIMIT for word in argv):
            yield from ((simple, folded, one) for one in self.unknown(simple, folded, "unknown-word"))
            return
        if argv[0] is None:
            yield from ((simple, folded, one) for one in self.unknown(simple, folded, "unknown-word"))
            return
        alias = folded.aliases.get(argv[0])
        if alias is not None and depth < DEPTH_LIMIT:
            yield from self._aliased(alias, simple, folded, caller, depth)
            return
        typed = argv[0]
        name = invoked.name_of(typed, folded, frozenset(word for one in INSTALLERS for word in one.words))
        if name != argv[0].rpartition(b"/")[2]:
            argv = (argv[0].rpartition(b"/")[0] + b"/" + name, *argv[1:])
        if not self._concerns(argv, name):
            return
        if argv[0] in folded.functions and name not in invoked.CONDA:
            yield from ((simple, folded, one) for one in self.unknown(simple, folded, "unknown-program"))
            return
        found = program.find(typed, folded)
        if found is None and name in invoked.CONDA:
            found = invoked.conda(name, folded)
        if (
            found is not None
            and found.python is not None
            and found.problem is None
            and invoked.is_itself(found, folded)
        ):
            yield from self._python(argv, found, simple, folded, depth)
            return
        yield from self._tool(argv, found, simple, folded, depth)

    def unknown(self, simple: Simple, context: Context, reason: Reason) -> Iterator[Prediction]:
        """One unknown prediction where the words are an installer's, as far as they are known."""
        argv = tuple(word.text for word in simple.words)
        names = [argv[0].rpartition(b"/")[2]] if argv[0] is not None else _mentioned(simple.words[0])
        for name in names:
            words: Words = (name, *argv[1:])
            if _PYTHON.match(name):
                line = pythonline.parse(words)
                if line is None or (line.module is None and line.script is None):
                    return
                name = line.module or (line.script or b"").rpartition(b"/")[2]
                words = (name, *words[line.start :])
            for installer in _installers(name):
                found = installer.predict(words, Program(name, name, None), context)
                if found is not None:
                    yield replace(found, outcome="unknown", reason=reason, landing=None, certainty="unknown")
                    return

    @staticmethod
    def may_concern(simple: Simple, caller: Context) -> bool:
        """False for most commands, for which nothing has to be followed."""
        name = simple.name
        if name is None or b"/" in name or name in caller.aliases:
            return True
        texts = tuple(word.text for word in simple.words[:4])
        return None in texts or _Asker._concerns(texts, name)

    @staticmethod
    def _concerns(argv: Words, name: bytes) -> bool:
        if _PYTHON.match(name) or _installers(name) or _runners(name):
            return True
        # A link of any name may lead to a Python.
        return any(word is not None and word.startswith(b"-") and b"m" in word for word in argv[1:4])

    def _aliased(self, alias: bytes, simple: Simple, folded: Context, caller: Context, depth: int) -> Iterator[Found]:
        reading = read(alias, self.shell)
        if not reading.complete or len(reading.commands) != 1 or reading.commands[0].effects:
            yield from ((simple, folded, one) for one in self.unknown(simple, folded, "opaque-line"))
            return
        own = reading.commands[0]
        # They stand where the alias was typed; in front of them nothing else may be replaced.
        place = simple.words[0].span if not own.wrappers else None
        words = tuple(replace(word, span=place) for word in own.words)
        # The word an alias begins with is not looked up as an alias again.
        others = {name: text for name, text in caller.aliases.items() if name != simple.name}
        expanded = replace(simple, words=(*words, *simple.words[1:]), wrappers=(*simple.wrappers, *own.wrappers))
        yield from self.ask(expanded, replace(caller, aliases=others), depth + 1)

    def _python(self, argv: Words, found: Program, simple: Simple, context: Context, depth: int) -> Iterator[Found]:
        line = pythonline.parse(argv)
        if line is None:
            named = (name for word in simple.words for name in substitution.mentioned(word) if _installers(name))
            for name in [] if None not in argv else list(named)[:1]:
                tool = _installers(name)[0].name
                yield (
                    simple,
                    context,
                    Prediction(tool, "other", _typed(argv), "unknown", "unknown-word", certainty="unknown"),
                )
            return
        called = invoked.called(found, context)
        if b"/" not in (argv[0] or b"") and b"/./" in found.path:
            # Found through the entry `.` of PATH, some releases look for themselves elsewhere.
            called = replace(called, problem="unknown-program")
        started = replace(called, flags=called.flags | line.flags)
        if line.module is not None:
            name = line.module.partition(b".__main__")[0]
            if not _installers(name) and not _runners(name):
                return
            words: Words = (name, *argv[line.start :])
            problem = called.problem or invoked.module_problem(name.decode("utf-8", "replace"), started, context)
            started = program.module(started, name.decode("utf-8", "replace"), context)
            if problem is not None:
                lacks = (f"{display_path(started.python or b'')} has no {name.decode('utf-8', 'replace')}",)
                because = lacks if problem == "no-such-module" else ("a file of that name lies in the directory",)
                started = replace(started, problem=problem, because=(*started.because, *because))
            yield from self._tool(words, started, simple, context, depth)
            return
        script = context.path(line.script or b"")
        name = script.rstrip(b"/").rpartition(b"/")[2]
        if not _installers(name) and not _runners(name):
            return
        runs = f"{display_path(started.path)} runs {display_path(script)}"
        run: Program | None = replace(started, path=script, script=script, because=(*started.because, runs))
        if not context.disk.exists(script):
            run = None
        elif context.disk.is_directory(script) and not invoked.is_own_package(script, started, context):
            run = replace(started, problem="unknown-program")
        yield from self._tool((name, *argv[line.start :]), run, simple, context, depth)

    def _tool(
        self, argv: Words, found: Program | None, simple: Simple, context: Context, depth: int
    ) -> Iterator[Found]:
        name = (argv[0] or b"").rpartition(b"/")[2]
        inside = invoked.inside(found, context)
        for runner in _runners(name) if depth < DEPTH_LIMIT else ():
            run = runner.run(argv, found, inside)
            if run is None:
                continue
            if isinstance(run, str):
                yield simple, context, _unknown(name.decode(), _typed(argv), run)
                return
            if run.prediction is not None:
                yield simple, context, self._judged(run.prediction, argv, found, inside)
            if run.start is not None and run.context is not None and _starts(found):
                following = replace(run.context, functions=frozenset(), aliases={}, hashed={}, argv0=None)
                front = tuple(literal(word, quoted=True) for word in run.front)
                for command in inner((*front, *_words(simple, argv, run.start)), self.shell):
                    for one, where, prediction in self.ask(command, following, depth + 1):
                        yield one, where, _of_runner(prediction, run.because)
            return
        for installer in _installers(name):
            answer = installer.predict(argv, found, inside)
            if answer is not None:
                yield simple, inside, self._judged(answer, argv, found, inside)
                return

    @staticmethod
    def _judged(prediction: Prediction, argv: Words, found: Program | None, context: Context) -> Prediction:
        """The prediction with what is known of its program."""
        if found is None:
            return replace(prediction, outcome="stops", reason="no-such-command", landing=None)
        if found.problem is not None:
            prediction = replace(prediction, outcome="stops", reason=found.problem, landing=None, because=found.because)
            if found.problem == "unknown-program":
                prediction = replace(prediction, outcome="unknown", certainty="unknown")
        if prediction.outcome == "lands":
            prediction = explained(prediction, argv[0] or b"", found, context)
        doubts = (*context.doubts, *found.doubts)
        if context.conditional:
            doubts += ("whether it runs depends on what comes before it",)
        if doubts and prediction.certainty == "sure":
            return replace(prediction, certainty="likely", because=(*prediction.because, *doubts))
        return prediction


def _installers(name: bytes) -> Sequence[Installer]:
    return _INSTALLERS.get(name, ())


def _runners(name: bytes) -> Sequence[Runner]:
    return _RUNNERS.get(name, ())


def _mentioned(word: Word) -> list[bytes]:
    """The installers a parameter in the place of the command may mean: ``$PIP``."""
    names = [piece.name.lower().encode() for piece in word.pieces if isinstance(piece, Parameter)]
    names += substitution.mentioned(word)
    last = word.pieces[-1] if word.pieces else None
    if isinstance(last, Literal):
        names.append(last.text.rpartition(b"/")[2])
    return [name for name in names if _installers(name) or _PYTHON.match(name)]


def _unknown(tool: str, argv: tuple[bytes, ...], reason: Reason) -> Prediction:
    return Prediction(tool, "other", argv, "unknown", reason, certainty="unknown")


def _typed(argv: Words) -> tuple[bytes, ...]:
    return tuple(word for word in argv if word is not None)


def _starts(found: Program | None) -> bool:
    return found is not None and found.problem is None


def _words(simple: Simple, argv: Words, start: int) -> tuple[Word, ...]:
    """A runner's own words as the inner command gets them: expanded by the outer shell, with their places."""
    tail = len(argv) - start
    typed = simple.words[len(simple.words) - tail :] if len(simple.words) >= tail else ()
    same = len(typed) == tail and all(
        word.text is None or word.text == text for word, text in zip(typed, argv[start:], strict=True)
    )
    return tuple(
        unknown("parameter") if text is None else literal(text, typed[at].span if same else None, quoted=True)
        for at, text in enumerate(argv[start:])
    )


def _of_runner(prediction: Prediction, because: tuple[str, ...]) -> Prediction:
    reason = "runner-without-pip" if prediction.reason == "active-without-pip" else prediction.reason
    return replace(prediction, reason=reason, because=(*because, *prediction.because))
