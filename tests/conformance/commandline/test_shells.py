"""Lines run by real shells, with programs that write down how they were started, against what reading them says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from alight.commandline import Simple, expand, read
from alight.commandline.effects import (
    Called,
    Cd,
    ClearEnvironment,
    Deactivate,
    Effect,
    NewShell,
    Opaque,
    Popd,
    Pushd,
    Rehash,
    SetVariable,
    Source,
    Unset,
    Wrapper,
)
from alight.commandline.words import Word

START = {"bash": ("bash", "--norc", "--noprofile", "-c"), "zsh": ("zsh", "-f", "-c"), "fish": ("fish", "-N", "-c")}
PROGRAMS = (b"pip", b"uv", b"python")
WATCHED = ("A", "B", "C", "PATH", "VIRTUAL_ENV")
STUB = """#!/bin/sh
record=$(/usr/bin/mktemp {log}/XXXXXXXX)
{{ printf '%s\\0' "$0" "$@" /END/ "$(/bin/pwd)"; /usr/bin/env -0; }} >"$record"
"""
ACTIVATE = """VIRTUAL_ENV={prefix}; export VIRTUAL_ENV
_OLD=$PATH; PATH=$VIRTUAL_ENV/bin:$PATH; export PATH
deactivate() {{ PATH=$_OLD; unset VIRTUAL_ENV; }}
"""
ACTIVATE_FISH = """set -gx VIRTUAL_ENV {prefix}
set -g _OLD $PATH
set -gx PATH $VIRTUAL_ENV/bin $PATH
function deactivate; set -gx PATH $_OLD; set -e VIRTUAL_ENV; end
"""

POSIX = """
pip install x
pip install 'a b' "c d" e\\ f
p"i"p in""stall x
\\pip install x
'pip' install x
pip install $A "$A" x$A ${A} ${A}y
pip install $E x "$E" $NONE
pip install ${NONE:-fallback} ${E:-empty} ${E-kept} ${A:-unused} ${A:+other} ${NONE:+none}
pip install $'a\\tb\\x41\\101\\'c' --opt=v
pip install ~ ~/x a~ --y=~/z "~"
pip install a#b a=b x==1 'y>=2'
pip install "a\\"b\\$A\\\\c\\d" 'x\\y'
pip install \\
  x y
A=1 pip install
A=1 B=$A pip install
A=1 B="x y" C=$S pip install
A=1; pip install
B=1; pip install
export B=1; pip install
export B=1 C=$A; pip install $B
B=2; export B; pip install
export A; A=changed; pip install $A
unset A; pip install $A
set -a; B=1; pip install
A+=more pip install
cd a && pip install
cd a; pip install
cd a; cd ..; cd b && pip install
cd; pip install
cd ~/sub && pip install
cd 'my dir' && pip install
cd a && cd - && pip install
cd "$PWD/a" && pip install
cd a && cd ../b; uv sync; pip install
(cd a); pip install
(cd a && pip install); pip install
{ cd a; pip install; }; pip install
( A=2; export B=3; pip install $A ); pip install $A
cd a | true; pip install
pip install | cat
pip install a | pip install b
cd a && pip install & pip install; wait
cd a || true & pip install; wait
cd a & wait; pip install
x=$(pip install a); pip install b
pip install $(cd a; pip list)
pip install `uv tree` "$(uv lock)"
echo "a `pip b` $(cd a; pip c)" >/dev/null
cat <(pip install) >/dev/null
true && pip install
false && pip install
false || pip install
true || pip install
false || cd a; pip install
cd a || exit; pip install
cd nowhere 2>/dev/null || exit; pip install
! false && pip install
if true; then pip a; else pip b; fi
if cd a; then pip x; fi
for i in one; do pip install $i; done; pip $i
for i in one two; do pip install x; done
for i in a b; do (cd $i && pip install); done; pip y
while read -r l; do pip install; done <lines
case $A in alpha) pip a;; *) pip b;; esac
f() { pip install; }; uv x
f() { pip install; }; pip install
pushd a >/dev/null; pip install; popd >/dev/null; pip install
cat <<EOF >/dev/null
pip install body
EOF
cat <<EOF | pip install -r -
$(uv lock)
EOF
cat <<'EOF' && pip b
$(pip a)
EOF
pip install <<<text x
pip install >out x 2>&1 y
>out pip install x
pip >out install x && pip y
2>err pip install
env pip install
env A=1 B=2 pip install
env -u A pip install
env -C a pip install
env -i PATH=$PATH pip install
env -i A=1 PATH="$PATH" B=$A pip install
env -u A B=1 -- pip install
env --unset=A --chdir=a pip install x
env -S 'A=1 pip install' x
/usr/bin/env A=1 pip install
command pip install
command -v pip >/dev/null
command -v pip >/dev/null && pip x
builtin cd a; pip install
exec pip install; pip never
(exec pip install); pip after
false && exit; pip after
nohup pip install
nice pip install
nice -n 5 pip install
nice -5 pip install
timeout 20 pip install
timeout -k 5 --signal=TERM 20 pip install
stdbuf -oL pip install
setsid -w pip install
time pip install
time A=1 pip install
cd a && time pip install
nohup env A=1 nice -n 1 timeout 9 pip install x
(set -a; read B <lines; C=1; pip install); pip b
bash -c 'pip install x'
bash -c "cd a; pip install"; pip y
sh -c 'A=1; pip install $A'
B=1; bash -c 'pip install $B'
export B=1; bash -c 'pip install $B'
B=1 bash -c 'pip install $B; B=2; pip y $B'
zsh -fc 'cd a | cat; pip install'
fish -N -c 'cd a; and pip install (cd b; uv x)'
env A=1 bash -c 'exec pip install $A'
eval 'pip install x'
eval 'cd a' '&&' pip install; pip y
eval "A=1; B=2"; pip $A $B
source v1/bin/activate && pip install
. v1/bin/activate; pip install
source ./v1/bin/activate; deactivate; pip install
(source v1/bin/activate; pip a); pip b
source v1/bin/activate && cd a && pip x; deactivate && pip y
v1/bin/pip install
./v1/bin/pip install
cd v1/bin && ./pip install
PATH=$PWD/v1/bin:$PATH pip install
PATH=$PWD/v1/bin:$PATH; pip install
export PATH="$PWD/v1/bin:$PATH"; pip install
PATH=v2/bin:$PATH pip install
$PWD/v1/bin/pip install
"$PWD"/v1/bin/pip install
${PWD}/v2/bin/python -m pip install
hash -r; pip install
printf 'x\\n' | xargs pip install
printf 'x\\n' | xargs -n1 -I{} pip install {}
printf 'x\\n' | xargs env A=1 pip install --flag
find a -maxdepth 0 -exec pip install {} \\;
find a -maxdepth 0 -exec env B=1 pip install x +
# pip install
pip a; pip b & pip c; wait
true; { true; pip x; } && (pip y)
[ -d a ] && cd a; pip install
[ -d none ] || pip install
[[ $A == alpha ]] && pip install
((1)) && pip install
pip install {a,b} x{1..2}
pip install ./* a*
read B <lines; pip install $B
A=1 eval 'pip install'
! cd nowhere 2>/dev/null && pip install
for d in a b; do cd $d; pip install; cd ..; done; pip x
if false; then cd a; fi; pip install
cd a && false || pip install
cd nowhere 2>/dev/null || cd a; pip install
eval "$(echo cd a)"; pip install
f() { cd a; }; f; pip install
export $(cat lines); pip install
IFS=o; pip install x
echo pip install >/dev/null; echo 'x; pip y' >/dev/null
git --version >/dev/null; command uv lock && pip install
: ${B:=made}; pip install $B
"""
ONLY = {
    "bash": """
export A+=more; pip install
pip install nothing[here]
pip install *.none "*" x?
pip install $S "$S" x$S
pip install ${S} a${NONE}b
command cd a; pip install
exec -a other pip install
env A=~/x pip install
export -n A; pip install
declare -x B=1; pip install
declare B=1; pip install
declare -i B=1+1; export B; pip install
pip install |& pip list
pip install &>out x
typeset -x B=$S; pip install "$B"
echo x | cd a; pip install
coproc pip install; wait
A=1 pip install # comment; pip x
pip install x # comment
""",
    "zsh": """
pip install $S "$S" x$S
=pip install x
noglob pip install x[y] *
nocorrect pip install
{ pip install }
{ cd a; pip x } && pip y
pip install &!
pip a &| pip b
repeat 2 pip install
echo x | cd a; pip install
echo x | { cd a; pip y }; pip z
cd a | cat; pip install
command cd a; pip install
typeset -x B=1; pip install
typeset -gx B=$S; pip install $B
path=($PWD/v1/bin $path); pip install
path+=$PWD/v1/bin; pip install
PATH=$PWD/v1/bin:$PATH:/x; pip install
pip install $A[1] $A:h "$A:u"
pip install $#A
cd a b 2>/dev/null; pip install
pip install >!out x
true; - pip install
rehash; pip install
integer B=3; export B; pip install
f() { pip x }; pip y
exec -a other pip install
""",
}
FISH = """
pip install x
pip install 'a b' "c d" e\\ f
p"i"p in""stall x
'pip' install x
pip install $A "$A" x$A {$A} {$A}y
pip install $E x "$E"
pip install "$S" $S
pip install 'a\\'b\\\\c\\d' "a\\"b\\$A\\\\c\\d"
pip install \\t\\x41\\101\\u00e9 a\\#b
pip install ~ ~/x a~ --y=~/z "~"
pip install a#b a=b x==1 'y>=2' x[1] {} ^y a%b
pip install \\
  x y
A=1 pip install
A=1 B=$A pip install
A=1 B="x y" C=$S pip install
A=~/x pip install
A=1 pip install $A x$A "$A"
A=1 pip install (uv lock)
set B 1; pip install
set -x B 1; pip install
set -gx B 1; pip install $B
set B 2; set -x B $B; pip install
set A changed; pip install $A
set -u A; pip install
set -e A; pip install
set -x B one two; pip install
set -x B $A$S; pip install "$B"
set -gx C x $A; pip install
set -lx B 1; pip install
begin; set -lx B 1; pip x; end; uv y
set -x B 1; set -a B 2; pip install
set -x PATH $PWD/v1/bin $PATH; pip install
set PATH $PWD/v1/bin $PATH; pip install
set -p PATH $PWD/v1/bin; pip install
PATH=$PWD/v1/bin:/usr/bin:/bin pip install
cd a && pip install
cd a; and pip install
cd a; cd ..; cd b && pip install
cd; pip install
cd ~/sub && pip install
cd 'my dir' && pip install
cd a && cd - && pip install
cd "$PWD/a" && pip install
cd $PWD/a; pip install
begin; cd a; pip x; end; pip y
cd a &; pip install
pip a &; pip b
echo (cd a; pip x) >/dev/null; pip y
pip install (uv tree) "$(uv lock)"
echo "a $(cd a; pip c)" >/dev/null; pip d
pip install | cat
pip install a | pip install b
pip a 2>| cat; pip b &| cat
true; and pip install
false; and pip install
false; or pip install
false || pip install
true || pip install
false; or cd a; pip install
cd a; or exit; pip install
cd nowhere 2>/dev/null; or exit; pip install
not false; and pip install
! false && pip install
if true; pip a; else; pip b; end
if false; pip a; else if true; pip b; else; pip c; end
if cd a; and true; pip x; end
for i in one; pip install $i; end; pip $i
for i in one two; pip install x; end
while read l; pip install; end <lines
switch $A; case alpha; pip a; case '*'; pip b; end
function f; pip install; end; uv x
pushd a; pip install; popd; pip install
pip install >out x 2>&1 y
pip >out install x && pip y
env A=1 B=2 pip install
env -u A pip install
env -C a pip install
env -i PATH=$PWD/bin:/usr/bin:/bin pip install
command pip install
command -q pip; and pip x
command -v pip >/dev/null
builtin cd a; pip install
exec pip install; pip never
nohup pip install
nice -n 5 pip install
timeout 20 pip install
time pip install
time begin; cd a; pip x; end
bash -c 'pip install x'
bash -c "cd a; pip install"; pip y
set B 1; bash -c 'pip install $B'
set -x B 1; bash -c 'pip install $B'
fish -N -c 'cd a; pip x'; pip y
eval 'pip install x'
eval 'cd a; and' pip install; pip y
source v1/bin/activate.fish; and pip install
. v1/bin/activate.fish; pip install
source v1/bin/activate.fish; deactivate; pip install
v1/bin/pip install
./v1/bin/pip install
cd v1/bin && ./pip install
$PWD/v1/bin/pip install
printf 'x\\n' | xargs pip install
printf 'x\\n' | xargs -I{} pip install {}
find a -maxdepth 0 -exec pip install '{}' \\;
# pip install
pip a # comment; pip b
pip a; pip b & pip c
test -d a; and cd a; pip install
test -d none; or pip install
a/; pip install
pip install {a,b} x
pip install a* ./*
read B <lines; pip install $B
for d in a b; cd $d; pip install; cd ..; end; pip x
if false; cd a; end; pip install
cd a; and false; or pip install
eval (echo cd a); pip install
function f; cd a; end; f; pip install
echo pip install >/dev/null; echo 'x; pip y' >/dev/null
begin; pip x; end | cat; pip y
cd a | cat; pip install
pip a | set C (cd a; uv x)
not cd nowhere 2>/dev/null; and pip install
set -q A; and pip install
string match -q alpha $A; and pip install
"""


def lines(text: str) -> Iterator[str]:
    """The rows of a table; a line that starts with a blank, or lies in a here document, goes with the one before."""
    rows: list[str] = []
    end = ""
    for line in text.strip("\n").split("\n"):
        if end or line.startswith(" "):
            rows[-1] += "\n" + line
            end = "" if line == end else end
        else:
            rows.append(line)
            end = "EOF" if "EOF" in line else ""
    yield from rows


ROWS = [(shell, row) for shell in ("bash", "zsh") for row in (*lines(POSIX), *lines(ONLY[shell]))]
ROWS += [("fish", row) for row in lines(FISH)]


@dataclass(frozen=True)
class Run:
    """One start of a program, as it was or as it is foretold; None stands for what is not known."""

    path: bytes | None
    arguments: tuple[bytes | None, ...] | None
    directory: bytes | None
    variables: Mapping[str, bytes | None] | None
    conditional: bool = False

    def agrees(self, actual: Run) -> bool:
        """Whether nothing that is foretold is wrong."""
        if self.path not in (None, actual.path) or self.directory not in (None, actual.directory):
            return False
        if self.arguments is not None and None not in self.arguments and self.arguments != actual.arguments:
            return False
        return self.variables is None or self.variables == actual.variables

    @property
    def exact(self) -> bool:
        return (
            None not in (self.path, self.arguments, self.directory, self.variables)
            and None not in (self.arguments or ())
        )  # fmt: skip


class Known(dict[str, "bytes | None"]):
    """Variables of a shell that was started with all of them known: others are unset."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> None:
        return None


class Fold:
    """What the effects before a command make of the shell's state."""

    def __init__(self, directory: bytes, environment: Mapping[str, bytes], shell: str) -> None:
        self.directory: bytes | None = directory
        self.values = Known(environment)
        self.values["PWD"] = directory
        self.exported = set(environment)
        self.unknown: set[str] = set()
        self.lost = False
        self._stack: list[bytes | None] = []
        self._before: bytes | None = None
        self._source: tuple[Known, set[str]] | None = None

    def word(self, word: Word) -> bytes | None:
        values, unknown = self._source or (self.values, self.unknown)
        if any(getattr(piece, "name", None) in unknown for piece in word.pieces):
            return None
        return expand(word, values, values["HOME"])

    def all(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self.one(effect)

    def one(self, effect: Effect) -> None:
        match effect:
            case Opaque():
                self.lost = True
            case Cd(directory):
                self._cd(directory)
            case Pushd(directory):
                self._stack.append(self.directory)
                self._cd(directory)
            case Popd():
                self._go(self._stack.pop())
            case SetVariable(name, value, exported):
                self._set(name, value, exported)
            case Unset(name):
                self.values[name] = None
                self.exported.discard(name)
            case ClearEnvironment():
                self.values, self.exported = Known(), set()
            case Source(file):
                path = self.word(file)
                assert path is not None
                assert b"/bin/activate" in path
                prefix = os.path.dirname(os.path.dirname(os.path.normpath(self.path(path))))
                self.values["_OLD"] = self.values["PATH"]
                self.values["VIRTUAL_ENV"] = prefix
                self.values["PATH"] = prefix + b"/bin:" + (self.values["PATH"] or b"")
                self.exported |= {"VIRTUAL_ENV", "PATH"}
            case Deactivate():
                self.values["PATH"] = self.values["_OLD"]
                self.values["VIRTUAL_ENV"] = None
            case NewShell(_, wrappers):
                self.wrappers(wrappers)
                self.values = Known({name: self.values[name] for name in self.exported})
                self.values["PWD"] = self.directory
            case Called() | Rehash():
                pass
            case _:
                raise AssertionError(effect)

    def wrappers(self, wrappers: Iterable[Wrapper]) -> None:
        before, unknown = Known(self.values), set(self.unknown)
        for wrapper in wrappers:
            self._source = (self.values, self.unknown) if wrapper.kind == "assignments" else (before, unknown)
            self.all(wrapper.effects)
        self._source = None

    def path(self, path: bytes) -> bytes:
        assert self.directory is not None
        return os.path.join(self.directory, path)

    def _go(self, directory: bytes | None) -> None:
        self._before, self.directory = self.directory, directory
        self.values["PWD"] = directory

    def _cd(self, word: Word | None) -> None:
        target = self.values["HOME"] if word is None else self.word(word)
        if target is None:
            self._go(None)
        elif target == b"-":
            self._go(self._before)
        elif self.directory is not None and os.path.isdir(self.path(target)):
            self._go(os.path.normpath(self.path(target)))

    def _set(self, name: str, value: Word | None, exported: bool | None) -> None:
        if value is not None:
            self.values[name] = self.word(value)
            self.unknown.discard(name)
            if self.values[name] is None:
                self.unknown.add(name)
        if exported is not None:
            (self.exported.add if exported else self.exported.discard)(name)


@dataclass(frozen=True)
class Place:
    """The folder in which lines run."""

    work: Path
    log: Path
    environment: Mapping[str, str]

    def actual(self, shell: str, line: str) -> list[Run]:
        """What really started."""
        for record in self.log.iterdir():
            record.unlink()
        # Jobs in the background hold the pipe: all of them have ended when it closes.
        subprocess.run(
            [*START[shell], line],
            cwd=self.work,
            env=dict(self.environment),
            capture_output=True,
            timeout=30,
            check=False,
        )
        return [self._record(record.read_bytes()) for record in self.log.iterdir()]

    def _record(self, content: bytes) -> Run:
        words, _, rest = content.partition(b"/END/\0")
        directory, *frames = rest.split(b"\0")[:-1]
        variables = dict(frame.split(b"=", 1) for frame in frames)
        path, *arguments = words.split(b"\0")[:-1]
        path = os.path.normpath(os.path.join(directory, path))
        return Run(path, tuple(arguments), directory, {name: variables.get(name.encode()) for name in WATCHED})

    def foretold(self, shell: str, line: str) -> list[Run]:
        """What reading the line says."""
        reading = read(os.fsencode(line), shell)
        assert reading.complete, reading.reason
        runs = [self._command(command) for command in reading.commands]
        return [run for run in runs if run is not None]

    def _command(self, command: Simple) -> Run | None:
        environment = {name: os.fsencode(value) for name, value in self.environment.items()}
        fold = Fold(os.fsencode(self.work), environment, command.shell)
        fold.all(command.effects)
        names = {os.path.basename(word.plain or b"") for word in command.words[:1]}
        if fold.lost:
            return Run(None, None, None, None, True) if names & set(PROGRAMS) else None
        values = Known(fold.values)
        fold.wrappers(command.wrappers)
        words = command.words
        known = [None if any(getattr(p, "name", None) in fold.unknown for p in word.pieces) else word for word in words]
        found = command.argv(values, fold.values["HOME"] or values["HOME"])
        arguments = None if None in known else found
        if not found or found[0] is None or os.path.basename(found[0]) not in PROGRAMS:
            return None
        exported = {name: fold.values[name] if name in fold.exported else None for name in WATCHED}
        variables = None if fold.unknown & set(WATCHED) & fold.exported else exported
        path = None if "PATH" in fold.unknown or fold.directory is None else self._find(found[0], fold)
        rest = None if arguments is None else arguments[1:]
        return Run(path, rest, fold.directory, variables, command.conditional or command.presumed)

    def _find(self, name: bytes, fold: Fold) -> bytes:
        assert fold.directory is not None
        if b"/" in name:
            return os.path.normpath(fold.path(name))
        entries = (fold.values["PATH"] or b"").split(b":")
        candidates = [os.path.normpath(os.path.join(fold.directory, entry, name)) for entry in entries]
        return next(path for path in candidates if os.access(path, os.X_OK))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    work, log, home = tmp_path / "work", tmp_path / "log", tmp_path / "work" / "home"
    log.mkdir()
    for folder in ("a", "b", "my dir", "bin", "v1/bin", "v2/bin", "home/sub"):
        (work / folder).mkdir(parents=True)
    for folder in ("bin", "v1/bin", "v2/bin"):
        for name in PROGRAMS:
            program = work / folder / os.fsdecode(name)
            program.write_text(STUB.format(log=log))
            program.chmod(0o755)
    for prefix in (work / "v1", work / "v2"):
        (prefix / "bin" / "activate").write_text(ACTIVATE.format(prefix=prefix))
        (prefix / "bin" / "activate.fish").write_text(ACTIVATE_FISH.format(prefix=prefix))
    (work / "lines").write_text("B=line\n")
    environment = {
        "PATH": f"{work}/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8",
        "A": "alpha", "E": "", "S": "two words",
    }  # fmt: skip
    return Place(work, log, environment)


UNKNOWN = {
    "pip install $(cd a; pip list)", "pip install `uv tree` \"$(uv lock)\"", "pip install {a,b} x{1..2}",
    "pip install ./* a*", "pip install nothing[here]", "pip install *.none \"*\" x?", "read B <lines; pip install $B",
    "A=1 eval 'pip install'", "for d in a b; do cd $d; pip install; cd ..; done; pip x",
    "for i in a b; do (cd $i && pip install); done; pip y",
    "if false; then cd a; fi; pip install", "cd a && false || pip install", "eval \"$(echo cd a)\"; pip install",
    "cd nowhere 2>/dev/null || cd a; pip install", "false || cd a; pip install",
    "f() { cd a; }; f; pip install", "export $(cat lines); pip install", "printf 'x\\n' | xargs pip install",
    "printf 'x\\n' | xargs -n1 -I{} pip install {}", "printf 'x\\n' | xargs env A=1 pip install --flag",
    "find a -maxdepth 0 -exec pip install {} \\;", "find a -maxdepth 0 -exec env B=1 pip install x +",
    ": ${B:=made}; pip install $B", "f() { pip install; }; pip install",
    "declare -i B=1+1; export B; pip install",
    "pip install $A[1] $A:h \"$A:u\"", "pip install $#A", "path=($PWD/v1/bin $path); pip install",
    "path+=$PWD/v1/bin; pip install", "cd a b 2>/dev/null; pip install", "integer B=3; export B; pip install",
    "pip install (uv tree) \"$(uv lock)\"", "begin; set -lx B 1; pip x; end; uv y",
    "false; or cd a; pip install", "printf 'x\\n' | xargs -I{} pip install {}",
    "find a -maxdepth 0 -exec pip install '{}' \\;", "pip install {a,b} x", "pip install a* ./*",
    "for d in a b; cd $d; pip install; cd ..; end; pip x", "if false; cd a; end; pip install",
    "cd a; and false; or pip install", "eval (echo cd a); pip install", "function f; cd a; end; f; pip install",
    "(set -a; read B <lines; C=1; pip install); pip b", "pip a | set C (cd a; uv x)",
    "! cd nowhere 2>/dev/null && pip install", "not cd nowhere 2>/dev/null; and pip install",
    "cd a | cat; pip install", "A=1 pip install (uv lock)", "fish -N -c 'cd a; and pip install (cd b; uv x)'",
}  # fmt: skip
"""Lines of which something is not known, and must not be claimed."""


ASSUMED = {
    "false && pip install", "cd nowhere 2>/dev/null || exit; pip install", "false; and pip install",
    "cd nowhere 2>/dev/null; or exit; pip install",
}  # fmt: skip
"""Lines on which what stands before fails, while reading takes it to succeed."""


@pytest.mark.parametrize(("shell", "line"), ROWS)
def test_a_line_does_what_reading_it_says(place: Place, shell: str, line: str) -> None:
    """Programs, arguments, directory and environment of every start are those foretold, and none is left out."""
    foretold, actual = place.foretold(shell, line), place.actual(shell, line)
    for run in actual:
        assert any(told.agrees(run) for told in foretold), (run, foretold)
    for told in foretold:
        if not told.conditional and line not in ASSUMED:
            assert any(told.agrees(run) for run in actual), (told, actual)
    if line not in UNKNOWN:
        assert all(told.exact for told in foretold), foretold


def test_there_are_enough_lines() -> None:
    """Every shell runs at least sixty lines, and most of them are known to the last word."""
    for shell in START:
        rows = [row for other, row in ROWS if other == shell]
        assert len(rows) >= 60
        assert len([row for row in rows if row in UNKNOWN]) < len(rows) / 3
