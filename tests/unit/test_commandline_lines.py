"""What lines of each shell are read as, row by row."""

from __future__ import annotations

import pytest

from alight.commandline import Simple, inner, read
from alight.commandline.effects import (
    Called,
    Cd,
    ClearEnvironment,
    CondaActivate,
    CondaDeactivate,
    Deactivate,
    Effect,
    NewShell,
    Opaque,
    Popd,
    Pushd,
    Pyenv,
    Rehash,
    SetVariable,
    Source,
    Unset,
    Workon,
    Wrapper,
)
from alight.commandline.words import Home, Literal, Parameter, Word
from alight.commandline.words import literal as typed


def shown(word: Word | None) -> str:
    """A word: its octets, ``<$NAME>``, ``<~>``, ``<?kind>``; in quotes where it would not be seen otherwise."""
    if word is None:
        return "(none)"
    parts = []
    for piece in word.pieces:
        if isinstance(piece, Literal):
            parts.append(piece.text.decode())
        elif isinstance(piece, Parameter):
            default = "".join(shown(Word((part,), None, None)) for part in piece.default)
            parts.append(f"<${piece.name}{piece.operator}{default}>")
        elif isinstance(piece, Home):
            parts.append(f"<~{piece.user.decode()}>")
        else:
            parts.append(f"<?{piece.kind}>")
    text = "".join(parts)
    return repr(text) if not text or set(text) & set(" \t\n'") else text


def effect(found: Effect) -> str:
    """An effect, in a few characters."""
    match found:
        case Cd(directory, implicit):
            return f"{'cd?' if implicit else 'cd'} {shown(directory)}"
        case Pushd(directory):
            return f"pushd {shown(directory)}"
        case SetVariable(name, value, exported):
            return f"{ {True: 'x:', False: 'u:', None: ''}[exported] }{name}={shown(value)}"
        case Unset(name):
            return f"unset {name}"
        case Source(file, arguments):
            return " ".join(["source", shown(file), *map(shown, arguments)])
        case CondaActivate(environment, tool, stack):
            return f"{tool.decode()} activate {shown(environment)}{' stack' if stack else ''}"
        case CondaDeactivate(tool):
            return f"{tool.decode()} deactivate"
        case Pyenv(scope, versions):
            return " ".join(["pyenv", scope, *map(shown, versions)])
        case Workon(environment):
            return f"workon {shown(environment)}"
        case Opaque(reason):
            return f"opaque {reason}"
        case NewShell(shell, wrappers, login, interactive):
            return " ".join([*map(wrapper, wrappers), shell, *["login"] * login, *["interactive"] * interactive])
        case ClearEnvironment():
            return "clear"
        case Popd() | Deactivate() | Rehash():
            return type(found).__name__.lower()
        case Called(name):
            return f"called {name.decode()}"


def wrapper(found: Wrapper) -> str:
    """A wrapper: kind, options, user, argv[0], effects."""
    text = found.kind + "".join(f" -{option}" for option in sorted(found.options))
    text += f" user={shown(found.user)}" if found.user else ""
    text += f" argv0={shown(found.argv0)}" if found.argv0 else ""
    return f"[{', '.join([text, *map(effect, found.effects)])}]"


def command(found: Simple) -> str:
    """``{effects} [wrapper] words`` and marks: ``?`` may not run, ``~`` presumed, ``<`` piped, ``>`` redirected."""
    effects = [effect(each) for each in found.effects if not isinstance(each, Called)]
    marks = "?" * found.conditional + "~" * found.presumed + "<" * found.piped + ">" * found.redirected
    before = ["{" + "; ".join(effects) + "}"] if effects else []
    return " ".join([*before, *map(wrapper, found.wrappers), *map(shown, found.words), *([marks] if marks else [])])


def lines(shell: str, line: str) -> list[str]:
    """What a line is read as; its reason where it is not."""
    reading = read(line.encode(), shell)
    return [command(found) for found in reading.commands] if reading.complete else [f"! {reading.reason}"]


ROWS: list[tuple[str, str, list[str]]] = [
    ("bash zsh fish", "pip install x", ["pip install x"]),
    ("bash zsh sh", "A=1 B=2 pip install", ["[assignments, x:A=1, x:B=2] pip install"]),
    ("fish", "A=1 B=2 pip install", ["[assignments, x:A=1, x:B=2] pip install"]),
    ("bash zsh", 'A=$X B=${Y:-z} pip install "$A"', ["[assignments, x:A=<$X>, x:B=<$Y:-z>] pip install <$A>"]),
    ("bash zsh", "PATH=a:$PATH:~/b pip install", ["[assignments, x:PATH=a:<$PATH>:<~>/b] pip install"]),
    ("bash zsh", "A=1; pip install", ["{A=1} pip install"]),
    ("bash zsh", "A=1 B=2; pip install", ["{A=1; B=2} pip install"]),
    ("bash zsh", "set -a; A=1; set +a; B=2; pip install", ["{x:A=1; B=2} pip install"]),
    ("bash zsh", "set -o allexport; A=1; pip install", ["{x:A=1} pip install"]),
    ("bash zsh sh", "export A=1; pip install", ["{x:A=1} pip install"]),
    ("bash", "export A=1 B C=~/x:$D; pip install", ["{x:A=1; x:B=(none); x:C=<~>/x:<$D>} pip install"]),
    ("bash", "export A+=2; A+=3; pip install", ["{x:A=<$A>2; A=<$A>3} pip install"]),
    ("zsh", "export A+=2; pip install", ["{opaque assignment} pip install"]),
    ("bash", "export -n A; declare -x B=1; typeset +x C; pip install", ["{u:A=(none); x:B=1; u:C=(none)} pip install"]),
    ("bash", "export $(cat .env) && pip install", ["cat .env", "{opaque assignment} pip install"]),
    ("bash", 'export "A=$B" "$C"; pip install', ["{x:A=<$B>; opaque assignment} pip install"]),
    ("zsh", "typeset -gx A=1; integer n=3; pip install", ["{x:A=1; n=<?array>} pip install"]),
    ("bash", "declare -i n=1; readonly R=2; local L=1; pip install", ["{n=<?array>; R=2} pip install"]),
    ("fish", "set -x A 1; set -gx B 2 3; set C $A; pip install", ["{x:A=1; x:B='2 3'; C=<$A>} pip install"]),
    ("fish", "set -gx PATH ~/v/bin $PATH; pip install", ["{x:PATH=<~>/v/bin:<$PATH>} pip install"]),
    ("fish", "set -p PATH /x; set -a B y; pip install", ["{PATH=/x:<$PATH>; B='<$B> y'} pip install"]),
    ("fish", "set -e A; set -u B; set -q C; pip install", ["{unset A; u:B=''} pip install"]),
    ("fish", "set -Ux A 1; set B[2] x; pip install", ["{x:A=<?array>; B=<?array>} pip install"]),
    ("fish", "begin; set -lx A 1; pip a; end; pip b", ["{x:A=1} pip a", "{x:A=1; A=<?parameter>} pip b"]),
    ("fish", "set -x A (pip a); pip b", ["pip a", "{x:A=<?substitution>} pip b"]),
    ("fish", "export A=1; pip install", ["{x:A=1} pip install"]),
    ("bash zsh", "unset A B; pip install", ["{unset A; unset B} pip install"]),
    ("bash zsh", "unset -f pip; pip install", ["{opaque function} pip install"]),
    ("bash zsh fish", "env A=1 pip install", ["[env, x:A=1] pip install"]),
    ("bash zsh", "env -i pip install", ["[env, clear] pip install"]),
    ("bash zsh fish", "env - A=1 pip install", ["[env, clear, x:A=1] pip install"]),
    ("bash zsh", 'env -u A -C /d B="$X" pip install', ["[env, unset A, cd /d, x:B=<$X>] pip install"]),
    ("bash zsh fish", "env --unset=A --chdir=d -- pip install", ["[env, unset A, cd d] pip install"]),
    ("bash zsh", "env -S 'A=1 pip install' x", ["[env, x:A=1] pip install x"]),
    ("bash zsh", "env -S 'pip $X'", ["env -S 'pip $X'"]),
    ("bash zsh", "env -iu A pip install", ["[env, clear, unset A] pip install"]),
    ("bash zsh", "env $X pip install", ["env <$X> pip install"]),
    ("bash", "env A=~/x pip install", ["[env, x:A=<~>/x] pip install"]),
    ("bash zsh fish", "/usr/bin/env A=1 nice pip install", ["[env, x:A=1] [nice] pip install"]),
    ("bash zsh sh", "command pip install", ["[command] pip install"]),
    ("bash zsh", "command -p pip install", ["[command -p] pip install"]),
    ("bash zsh sh", "command -v pip", []),
    ("bash zsh", "command -V pip; pip install", ["pip install"]),
    ("fish", "command -s pip; command -q pip; and pip install", ["pip install"]),
    ("bash", "command cd x; pip install", ["{cd x} pip install"]),
    ("zsh fish", "command cd x; pip install", ["[command] cd x", "pip install"]),
    ("bash zsh fish", "builtin cd x; pip install", ["{cd x} pip install"]),
    ("bash zsh", "builtin pip install", []),
    (
        "bash zsh",
        "exec -a foo A/bin/python -m pip install x; pip never",
        ["[exec argv0=foo] A/bin/python -m pip install x"],
    ),
    ("bash zsh", "exec -cl pip install", ["[exec -c -l, clear] pip install"]),
    ("bash zsh fish", "exec pip install; pip never", ["[exec] pip install"]),
    ("bash zsh", "exec >log; pip install", ["pip install"]),
    ("bash zsh", "(exec pip a); pip b", ["[exec] pip a", "pip b"]),
    ("bash zsh fish", "nohup pip install", ["[nohup] pip install"]),
    ("bash zsh fish", "time pip install", ["[time] pip install"]),
    ("bash", "time -p A=1 pip install", ["[time -p] [assignments, x:A=1] pip install"]),
    ("bash zsh", "\\time -f %e pip install", ["[time -f] pip install"]),
    ("bash", "time { pip a; }", ["! a reserved word as a command"]),
    ("bash zsh", "time (pip a)", ["pip a"]),
    (
        "bash zsh fish",
        "nice -n 5 ionice -c 3 timeout -k 1 9 stdbuf -oL setsid -w chronic pip install",
        ["[nice -n] [ionice -c] [timeout -k] [stdbuf -o] [setsid -w] [chronic] pip install"],
    ),
    ("bash zsh fish", "nice -5 pip install", ["[nice] pip install"]),
    ("bash zsh", 'timeout "$T" pip install', ["timeout <$T> pip install"]),
    ("bash", "timeout $T pip install", ["timeout <$T> pip install"]),
    ("bash zsh fish", "ionice -p 3", []),
    ("zsh", "noglob pip install x[y]", ["[noglob] pip install x[y]"]),
    ("zsh", "nocorrect pip install", ["[nocorrect] pip install"]),
    ("zsh", "- pip install", ["[login] pip install"]),
    ("zsh", "=pip install", ["[equals] pip install"]),
    ("zsh", "pip install =x", ["pip install <?tilde>x"]),
    ("bash", "=pip install", ["=pip install"]),
    ("bash zsh fish", "sudo pip install", ["[sudo] pip install"]),
    ("bash zsh fish", "sudo -E -H -u me pip install", ["[sudo -E -H -u user=me] pip install"]),
    ("bash zsh fish", "sudo -EH --user=me -n -- pip install", ["[sudo -E -H -n -u user=me] pip install"]),
    ("bash zsh fish", "sudo PIP_X=y pip install", ["[sudo, x:PIP_X=y] pip install"]),
    ("bash zsh", 'sudo env PATH="$PATH" pip install', ["[sudo] [env, x:PATH=<$PATH>] pip install"]),
    ("bash zsh", 'sudo "$(which pip)" install x', ["which pip", "sudo <?substitution> install x"]),
    ("bash zsh fish", "sudo -i pip install", ["[sudo -i] pip install"]),
    ("bash zsh fish", "sudo -D /d pip install", ["[sudo -D, cd /d] pip install"]),
    ("bash zsh fish", "sudo -l; sudo -e f; sudo -v", []),
    ("bash zsh fish", "doas -u me pip install", ["[doas -u user=me] pip install"]),
    (
        "bash zsh",
        "A=1 sudo bash -c 'export B=2; pip install'",
        ["{[assignments, x:A=1] [sudo] bash; x:B=2} pip install"],
    ),
    ("bash zsh fish", "su -c 'pip install'", ["su -c 'pip install'"]),
    ("bash zsh fish", "echo x | xargs pip install", ["echo x", "[xargs] pip install <?input> <"]),
    ("bash zsh fish", "xargs -n1 -I@ pip install @ -t x@y", ["[xargs -I -n] pip install <?input> -t x<?input>"]),
    (
        "bash zsh fish",
        "xargs -0 -P 4 --max-args=1 env A=1 pip install",
        ["[xargs -0 -P -max-args] [env, x:A=1] pip install <?input>"],
    ),
    ("bash zsh fish", "xargs sh -c 'pip install \"$@\"' _", ["{[xargs] sh} pip install <?parameter>"]),
    (
        "bash zsh",
        "find . -name x -exec pip install {} \\; -execdir pip uninstall {} +",
        ["[find] pip install <?input> ?", "[find, cd <?input>] pip uninstall <?input> ?"],
    ),
    ("bash zsh fish", "find . -name pip", ["find . -name pip"]),
    ("bash zsh fish", "parallel pip install ::: a b", ["[parallel] pip install <?input>"]),
    ("bash zsh", "cd x && pip install", ["{cd x} pip install"]),
    ("bash zsh fish", "cd x; pip install", ["{cd x} pip install"]),
    ("bash zsh fish", "cd; pip install", ["{cd (none)} pip install"]),
    ("bash zsh fish", "cd -; pip install", ["{cd -} pip install"]),
    ("bash zsh fish", "cd -- ~/x; pip install", ["{cd <~>/x} pip install"]),
    ("bash zsh", "cd -P x; pip install", ["{cd x} pip install"]),
    ("bash zsh fish", "cd $D/x && pip install", ["{cd <$D>/x} pip install"]),
    ("bash zsh fish", "cd a b; pip install", ["{opaque directory} pip install"]),
    ("zsh", "cd +1; pip install", ["{opaque directory} pip install"]),
    ("bash zsh fish", "pushd x; pip a; popd; pip b", ["{pushd x} pip a", "{pushd x; popd} pip b"]),
    ("bash zsh fish", "pushd +1; pip a", ["{opaque directory} pip a"]),
    ("bash zsh fish", "z foo; pip install", ["{opaque directory} pip install"]),
    ("bash zsh fish", "..; pip install", ["..", "{cd? ..} pip install"]),
    ("bash zsh fish", "~/x/; pip install", ["<~>/x/", "{cd? <~>/x/} pip install"]),
    ("bash zsh", "CDPATH=x cd y; pip install", ["{opaque assignment} pip install"]),
    ("bash zsh", "a && pip install", ["a", "pip install"]),
    ("bash zsh fish", "a || pip install", ["a", "pip install ?"]),
    ("bash zsh", "cd x || pip install", ["pip install ?"]),
    ("bash zsh", "cd x && pip a || pip b", ["{cd x} pip a", "{opaque alternative} pip b ?"]),
    ("bash zsh", "cd x || exit 1; pip install", ["{cd x} pip install"]),
    ("bash zsh fish", "cd x || echo no; pip install", ["echo no ?", "{cd x} pip install"]),
    ("bash zsh", "cd x || { echo no; exit; }; pip install", ["echo no ?", "{cd x} pip install"]),
    ("bash zsh fish", "cd x || cd y; pip install", ["{cd x; opaque alternative} pip install"]),
    ("bash zsh", "! cd x && pip install", ["{opaque alternative} pip install"]),
    ("bash zsh", "[ -d x ] && cd x; pip install", ["{cd x} pip install ~"]),
    ("bash zsh", "[[ -d x ]] && source x/bin/activate; pip install", ["{source x/bin/activate} pip install ~"]),
    (
        "fish",
        "test -d x; and source x/bin/activate.fish; pip install",
        ["test -d x", "{source x/bin/activate.fish} pip install ~"],
    ),
    ("fish", "cd x; and pip a; or pip b", ["{cd x} pip a", "{opaque alternative} pip b ?"]),
    ("fish", "not cd x; and pip install", ["{opaque alternative} pip install"]),
    ("bash zsh", "(cd d); pip install", ["pip install"]),
    ("bash zsh", "(cd d && pip install)", ["{cd d} pip install"]),
    ("bash zsh", "{ cd d; pip a; }; pip b", ["{cd d} pip a", "{cd d} pip b"]),
    ("zsh", "{ cd d; pip a }; pip b", ["{cd d} pip a", "{cd d} pip b"]),
    ("bash", "{ pip a }", ["! a syntax error, or syntax that is not known"]),
    ("fish", "begin; cd d; pip a; end; pip b", ["{cd d} pip a", "{cd d} pip b"]),
    ("fish", "{ pip a; }", ["! braces as a command"]),
    ("bash", "cd d | pip a; pip b", ["pip a <", "pip b"]),
    ("zsh", "a | cd d; pip b", ["a", "{cd d} pip b"]),
    ("fish", "cd d | pip a; pip b", ["{opaque alternative; cd d} pip a <", "{cd d; opaque alternative} pip b"]),
    ("bash zsh", "source A/bin/activate | cat; pip install", ["cat <", "pip install"]),
    ("bash", "cd d & pip install", ["pip install"]),
    ("bash", "cd d && pip a & pip b", ["{cd d} pip a", "pip b"]),
    ("zsh", "cd d && pip a & pip b", ["{cd d} pip a", "{cd d} pip b"]),
    ("fish", "cd d & pip install", ["{cd d} pip install"]),
    ("zsh", "pip a &! pip b", ["pip a", "pip b"]),
    ("zsh", "pip a &| pip b", ["pip a", "pip b"]),
    ("bash", "pip a &! pip b", ["pip a", "pip b"]),
    ("bash zsh", "x=$(A/bin/pip install x)", ["A/bin/pip install x"]),
    (
        "bash zsh",
        'echo `pip a \\`pip b\\`` "$(cd d; pip c)"; pip d',
        ["pip b", "pip a <?substitution>", "{cd d} pip c", "echo <?substitution> <?substitution>", "pip d"],
    ),
    ("bash zsh", "pip install -r <(pip freeze)", ["pip freeze", "pip install -r <?substitution>"]),
    ("bash zsh", "echo ${X:-$(pip a)}", ["pip a", "echo <?parameter>"]),
    ("bash zsh", 'cat <<< "$(pip a)"', ["pip a", "cat >"]),
    (
        "fish",
        'echo (cd d; pip a) $(pip b) "$(pip c)"; pip d',
        [
            "{cd d} pip a",
            "{cd d} pip b",
            "{cd d} pip c",
            "{cd d} echo <?substitution> <?substitution> <?substitution>",
            "{cd d} pip d",
        ],
    ),
    (
        "fish",
        "pip install (pip a | string split ' ')[1]",
        ["pip a", "string split ' ' <", "pip install <?substitution>"],
    ),
    ("bash zsh fish", "source A/bin/activate && pip install x", ["{source A/bin/activate} pip install x"]),
    (
        "bash zsh fish",
        ". ./A/bin/activate; deactivate; pip install x",
        ["{source ./A/bin/activate; deactivate} pip install x"],
    ),
    ("bash zsh fish", "source activate base; pip install", ["{source activate base} pip install"]),
    ("bash", "source <(x); pip install", ["x", "{source <?substitution>} pip install"]),
    ("bash zsh fish", "conda activate X && pip install", ["{conda activate X} pip install"]),
    (
        "bash zsh fish",
        "mamba activate; micromamba activate -p ./e; conda deactivate; pip install",
        ["{mamba activate (none); micromamba activate ./e; conda deactivate} pip install"],
    ),
    ("bash zsh fish", "conda activate --stack X; conda install y", ["{conda activate X stack} conda install y"]),
    ("bash zsh fish", "pyenv shell 3.12 3.11; pip install", ["{pyenv shell 3.12 3.11} pip install"]),
    (
        "bash zsh fish",
        "pyenv local 3.12; pyenv global --unset; pyenv version; pip install",
        ["{pyenv local 3.12; pyenv global} pyenv version", "{pyenv local 3.12; pyenv global} pip install"],
    ),
    ("bash zsh fish", "pyenv activate v && pip install", ["{pyenv activate v} pip install"]),
    ("bash zsh fish", "workon v && pip install", ["{workon v} pip install"]),
    ("bash zsh fish", "mkvirtualenv v && pip install", ["{opaque tool} pip install"]),
    ("bash zsh fish", "mise use python@3.12; pip install", ["{opaque tool} pip install"]),
    ("bash zsh", 'eval "$(pyenv init -)"; pip install', ["pyenv init -", "{opaque eval} pip install"]),
    ("bash zsh fish", "eval 'cd x; pip a'; pip b", ["{cd x} pip a", "{cd x} pip b"]),
    ("bash zsh", "eval \"cd x\" '&&' pip a", ["{cd x} pip a"]),
    ("bash zsh", "A=1 eval 'pip a'; pip b", ["{x:A=1} pip a", "{x:A=1; A=<?parameter>} pip b"]),
    ("bash zsh", "eval $X; pip install", ["{opaque eval} pip install"]),
    ("bash zsh fish", "bash -c 'pip install'", ["{bash} pip install"]),
    ("bash zsh fish", "bash -lc 'cd x; pip a'; pip b", ["{bash login; cd x} pip a", "pip b"]),
    ("bash zsh fish", "zsh -ic 'a | cd x; pip a'", ["{zsh interactive} a", "{zsh interactive; cd x} pip a"]),
    ("bash zsh fish", "/bin/sh -ec 'pip a' arg", ["{sh} pip a"]),
    ("bash zsh fish", "fish -c 'echo (pip a)'", ["{fish} pip a", "{fish} echo <?substitution>"]),
    ("bash zsh", 'bash -c "pip install $X"', ["bash -c 'pip install <$X>'"]),
    ("bash zsh fish", "bash script.sh; bash; sh -s x", ["bash script.sh", "bash", "sh -s x"]),
    ("bash zsh fish", "bash -c 'pip install ('", ["! a syntax error, or syntax that is not known"]),
    ("bash zsh", "for d in a b; do pip install $d; done", ["{d=<?loop>} pip install <$d> ?"]),
    ("bash zsh", "for d in a; do pip install $d; done; pip $d", ["{d=a} pip install <$d> ?", "{d=a} pip <$d>"]),
    (
        "bash zsh",
        "for d in a b; do cd $d; pip a; done; pip b",
        ["{d=<?loop>; opaque loop; cd <$d>} pip a ?", "{d=<?loop>; opaque loop} pip b"],
    ),
    (
        "bash zsh",
        "for d in a b; do (cd $d && pip a); done; pip b",
        ["{d=<?loop>; cd <$d>} pip a ?", "{d=<?loop>} pip b"],
    ),
    ("fish", "for d in a b; pip install $d; end", ["{d=<?loop>} pip install <$d> ?"]),
    ("bash zsh", "while read x; do pip install $x; done <f", ["{x=<?input>; x=<?input>} pip install <$x> ?"]),
    ("bash zsh", "until pip a; do cd x; done; pip b", ["{opaque loop} pip a", "{opaque loop} pip b"]),
    ("fish", "while read x; pip install $x; end <f", ["{x=<?input>; x=<?input>} pip install <$x> ?"]),
    (
        "bash zsh",
        "if a; then pip b; elif c; then pip d; else pip e; fi; pip f",
        ["a", "pip b ?", "c ?", "pip d ?", "pip e ?", "pip f"],
    ),
    (
        "bash zsh",
        "if cd x; then pip a; else pip b; fi; pip c",
        ["{cd x} pip a ?", "pip b ?", "{cd x; opaque alternative} pip c"],
    ),
    ("bash zsh", "if a; then exit; fi; pip b", ["a", "pip b"]),
    (
        "fish",
        "if a; and b; pip c; else if d; pip e; else; pip f; end; pip g",
        ["a", "b", "pip c ?", "d ?", "pip e ?", "pip f ?", "pip g"],
    ),
    ("bash zsh", "case $x in a|b) pip a;; (*) cd x;; esac; pip b", ["pip a ?", "{opaque alternative} pip b"]),
    ("fish", "switch $x; case a b; pip a; case '*'; cd x; end; pip b", ["pip a ?", "{opaque alternative} pip b"]),
    ("bash zsh", "f() { pip install; }", []),
    ("bash zsh", "function f { cd x; }; f; pip install", ["{opaque function} pip install"]),
    ("bash zsh", "f() (pip a); command f; pip b", ["[command] f", "pip b"]),
    ("bash zsh", "pip() { echo; }; pip install; command pip install", ["{opaque function} [command] pip install"]),
    ("fish", "function pip; cd x; end; pip install; command pip install", ["{opaque function} [command] pip install"]),
    ("bash zsh", "f() { pip x; } && pip install", ["pip install"]),
    ("bash zsh fish", 'p"i"p in""stall \'x\'', ["pip install x"]),
    ("bash zsh fish", "\\pip install", ["pip install"]),
    ("bash zsh", "p\\ip \"in\"'stall' $'\\x78\\n'", ["pip install 'x\\n'"]),
    ("fish", "pi\\p 'a\\'b' \"c\\\"\\$d\" \\x78\\u00e9 e\\ f", ["pip \"a'b\" c\"$d xé 'e f'"]),
    ("bash zsh", 'pip install "a\\"b\\$c\\d`e`"', ["e", 'pip install a"b$c\\d<?substitution>']),
    (
        "bash zsh",
        'pip install $X ${X} "$X" a${X}b ${X:-d} ${X-d} ${X:+d} ${X:=d}',
        ["{X=<?parameter>} pip install <$X> <$X> <$X> a<$X>b <$X:-d> <$X-d> <$X:+d> <$X:=d>"],
    ),
    (
        "bash",
        "pip ${#X} ${X%y} ${X[0]} ${X:-a b} $1 $@ $?",
        ["pip <?parameter> <?parameter> <?parameter> <?parameter> <?parameter> <?parameter> <?parameter>"],
    ),
    (
        "zsh",
        'pip install $X[1] $X:h "$X:t" $#X $X/y',
        ["pip install <?parameter><?glob>1] <?parameter>:h <?parameter>:t <?parameter>X <$X>/y"],
    ),
    (
        "fish",
        'pip install $X {$X} "$X" a$X $X[1] $$X $PATH "$PATH"',
        ["pip install <$X> <$X> <$X> a<$X> <?parameter> <?parameter><?parameter> <?parameter> <$PATH>"],
    ),
    ("bash zsh fish", "$PIP install", ["<$PIP> install"]),
    ("fish", "pip x[1] [ a ]; pip x[ a ]", ["! brackets that are not plain"]),
    ("bash zsh fish", "a && exit; pip install", ["a", "pip install"]),
    ("bash zsh fish", "cd x && exec a; pip install", ["{cd x} [exec] a", "pip install"]),
    ("bash zsh fish", "$X a; pip install", ["<$X> a", "{opaque eval} pip install"]),
    ("bash zsh fish", "$X/pip a; pip install", ["<$X>/pip a", "pip install"]),
    ("bash zsh", "p\\\nip inst\\\nall \\\nx", ["pip install x"]),
    ("bash zsh", "a &\\\n& pip", ["! an operator on two lines"]),
    ("bash zsh", "${PIP:-pip} install", ["<$PIP:-pip> install"]),
    ("bash zsh fish", "$V/bin/pip install", ["<$V>/bin/pip install"]),
    ("bash zsh fish", 'pip install ~ ~/x ~u/x a~ "~"', ["pip install <~> <~>/x <~u>/x a~ ~"]),
    ("bash zsh", "pip install ~+ ~-/x", ["pip install <?tilde>+ <?tilde>-/x"]),
    (
        "bash",
        "pip install x[y] *.whl {a,b} {1..3} {} a?",
        ["pip install x<?glob>y] <?glob>.whl <?brace> <?brace> {} a<?glob>"],
    ),
    (
        "zsh",
        "pip install x[y] *.whl {a,b} {1..3} {} a?",
        ["pip install x<?glob>y] <?glob>.whl <?brace> <?brace> {} a<?glob>"],
    ),
    ("fish", "pip install x[y] *.whl {a,b} {} a?", ["pip install x[y] <?glob>.whl <?brace> {} a<?glob>"]),
    ("bash zsh", "pip install $((1+2)) $[1+2]", ["pip install <?arithmetic> <?arithmetic>"]),
    (
        "bash zsh fish",
        "echo pip install; git commit -m 'pip install'",
        ["echo pip install", "git commit -m 'pip install'"],
    ),
    ("bash fish", "pip install x # pip y", ["pip install x"]),
    ("zsh", "pip install x # y", ["pip install x"]),
    ("zsh", "pip install x # y; pip z", ["! a comment, or not"]),
    ("bash fish", "# pip install", []),
    ("bash zsh fish", "pip \\\n install \\\n x", ["pip install x"]),
    ("bash zsh fish", "pip a\npip b", ["pip a", "pip b"]),
    ("bash zsh", "cat <<EOF\npip a $(pip b)\nEOF\npip c", ["pip b", "cat >", "pip c"]),
    ("bash zsh", "cat <<'EOF' | pip a\n$(pip b)\nEOF", ["cat >", "pip a <"]),
    ("bash zsh", "python - <<EOF\nimport pip\nEOF", ["python >"]),
    ("bash zsh", "pip install >o 2>&1 x <i y", ["pip install x y >"]),
    ("bash zsh", ">o pip install", ["pip install >"]),
    ("zsh", "pip a >! o b", ["pip a b >"]),
    ("fish", "pip install >o 2>&1 x <i y", ["pip install x y >"]),
    ("bash zsh fish", "pip a | pip b", ["pip a", "pip b <"]),
    ("bash zsh", "pip a |& pip b", ["pip a", "pip b <"]),
    ("fish", "pip a &| pip b 2>| pip c", ["pip a", "pip b <", "pip c <"]),
    ("zsh", "repeat 3 pip install", ["[repeat] pip install ?"]),
    ("zsh", "repeat 3 cd x; pip install", ["{opaque loop} pip install"]),
    ("zsh", "path=(x $path); pip install", ["{PATH=<?array>} pip install"]),
    ("zsh", "for i (a b) pip $i", ["! a syntax error, or syntax that is not known"]),
    ("zsh", "() { pip a }", ["! a syntax error, or syntax that is not known"]),
    ("zsh", "if [[ -n x ]] { pip a }", ["! a syntax error, or syntax that is not known"]),
    ("bash", "coproc pip install", ["[coproc] pip install"]),
    ("bash", "((x=1)); let y=2; pip $x", ["{x=<?arithmetic>; y=<?arithmetic>} pip <$x>"]),
    ("bash zsh", "read x; printf -v y z; pip $x $y", ["{x=<?input>; y=<?input>} pip <$x> <$y>"]),
    ("bash zsh", "hash -r; rehash; pip install", ["{rehash; rehash} pip install"]),
    ("bash zsh", "hash -p /x/pip pip; pip install", ["{opaque hash} pip install"]),
    ("bash zsh", "trap 'pip a' EXIT; pip b", ["{opaque trap} pip b"]),
    ("bash zsh fish", "alias pip=x; pip install", ["{opaque function} pip install"]),
    ("bash zsh", ": ${X:=y}; pip $X", ["{X=<?parameter>} : <$X:=y>", "{X=<?parameter>} pip <$X>"]),
    ("bash zsh", "pip 'x", ["! a syntax error, or syntax that is not known"]),
    ("fish", "pip 'x", ["! a quote is not closed"]),
    ("bash zsh", "pip $(x", ["! a syntax error, or syntax that is not known"]),
    ("fish", "pip (x", ["! a parenthesis is not closed"]),
    ("bash zsh", "pip )", ["! a syntax error, or syntax that is not known"]),
    ("fish", "pip )", ["! a parenthesis that closes nothing"]),
    ("bash zsh", "a | ", ["! a syntax error, or syntax that is not known"]),
    ("fish", "a | ", ["! a command is missing"]),
    ("bash zsh", "if a; then pip b", ["! a syntax error, or syntax that is not known"]),
    ("fish", "if a; pip b", ["! a block is not closed"]),
    ("fish", "end", ["! a keyword that belongs to no block"]),
    ("fish", "A=1", ["! a command is missing"]),
    ("bash", "a\rb", ["! control characters"]),
    ("sh", "A=1 command pip install && . ./x", ["[assignments, x:A=1] [command] pip install"]),
    ("bash", "cd My\\ Dir && pip install", ["{cd 'My Dir'} pip install"]),
    ("bash", 'pip "$X"\\ y', ["! something that is no word"]),
    ("bash zsh fish", "A/bin/python -m pip install", ["A/bin/python -m pip install"]),
    (
        "bash zsh fish",
        "python -Im pip install; python3 -c 'import pip'",
        ["python -Im pip install", "python3 -c 'import pip'"],
    ),
    (
        "bash zsh fish",
        "uv run pip install x; poetry run pip install; conda run -n e pip install",
        ["uv run pip install x", "poetry run pip install", "conda run -n e pip install"],
    ),
    (
        "bash zsh fish",
        "docker run x pip install; ssh h 'pip install'; make",
        ["docker run x pip install", "ssh h 'pip install'", "make"],
    ),
]
"""Shells, a line, and the commands it starts."""


@pytest.mark.parametrize(("shells", "line", "expected"), ROWS)
def test_a_line_is_read(shells: str, line: str, expected: list[str]) -> None:
    """Words without quotes, wrappers in order, and the state in which each command starts."""
    for shell in shells.split():
        assert lines(shell, line) == expected, shell


def test_there_are_enough_rows() -> None:
    """The table covers all shells and is not cut short by accident."""
    assert sum(len(shells.split()) for shells, _, _ in ROWS) >= 150
    assert {shell for shells, _, _ in ROWS for shell in shells.split()} == {"bash", "zsh", "fish", "sh"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_spans_are_those_of_the_typed_line(shell: str) -> None:
    """Each word knows its octets, a command its own from first to last, a string inside the line none."""
    line = b"cd a; A=1 'p'ip  install \"x y\"; eval 'pip b'"
    first, second = read(line, shell).commands
    assert [line[slice(*word.span)] for word in first.words if word.span] == [b"'p'ip", b"install", b'"x y"']
    assert first.span is not None
    assert line[slice(*first.span)] == b"'p'ip  install \"x y\""
    assert second.span is None


@pytest.mark.parametrize(("line", "span"), [("pip >o install", None), ("pip install >o", (0, 11)), ("sh -c pip", None)])
def test_a_redirection_between_words_leaves_no_span(line: str, span: tuple[int, int] | None) -> None:
    """What would be replaced by octets holds words of the command only."""
    (found,) = read(line.encode(), "bash").commands
    assert found.span == span


def test_quotes_keep_aliases_away() -> None:
    """The command word says whether any part of it was quoted."""
    for line, quoted in ((b"pip", False), (b"\\pip", True), (b"'pip'", True), (b'p""ip', True)):
        assert read(line, "bash").commands[0].quoted_first is quoted


def test_the_rest_of_a_runner_is_read_again() -> None:
    """Words behind ``uv run`` are a command that a program starts: no builtins, no keywords, but programs' wrappers."""
    assert [command(found) for found in inner((typed(b"pip"), typed(b"install")), "bash")] == ["pip install"]
    words = tuple(map(typed, (b"env", b"A=1", b"bash", b"-c", b"cd x && pip install")))
    assert [command(found) for found in inner(words, "zsh")] == ["{[env, x:A=1] bash; cd x} pip install"]
    assert [command(found) for found in inner((typed(b"cd"), typed(b"x")), "fish")] == ["cd x"]
    assert inner((), "bash") == inner((typed(b"bash"), typed(b"-c"), typed(b"'")), "bash") == ()


def test_words_called_by_name_are_noted() -> None:
    """Whoever knows the shell's functions can tell that one of them ran before."""
    (_, second) = read(b"mkcd x && pip install", "bash").commands
    assert Called(b"mkcd") in second.effects
    for line in (b"command mkcd x && pip", b"./mkcd x && pip", b"env mkcd x && pip", b"(mkcd x) && pip"):
        assert not any(isinstance(found, Called) for found in read(line, "bash").commands[1].effects)
