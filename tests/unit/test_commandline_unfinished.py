"""Commands that go on behind Enter, beside what the shells themselves make of the same text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alight.commandline import LINE_LIMIT, closed, lexing, read
from alight.commandline.tree import WORK_LIMIT, Budget

SCRIPTS = {
    "loops": "for x in a b; do\n  pip install $x\ndone\nfor x in a \\\n  b\ndo pip a; done",
    "header": "for x\ndo\n  pip a\ndone\nfor x\nin a b\ndo :; done\nfor x in a; do pip b\ndone",
    "counted": "for ((i=0; i<2; i++)); do\n  pip $((i+1))\ndone\nfor ((i=0;\ni<2; i++)) do :\ndone",
    "while": "while\n  false\ndo\n  pip a\ndone\nuntil true; do pip\ndone | cat\npip b",
    "nested": "for a in 1; do\nfor b in 2; do\nif true; then\n{ (\npip $a $b\n)\n}\nfi\ndone\ndone\npip b",
    "if": "if pip a\nthen\n  pip b\nelif pip c; then pip d\nelse\n  pip e\nfi\npip f",
    "if-lists": "if true &&\n  ! false; then\npip a; fi\nif (true) then pip b\nfi > out\nif { true; } then :\nfi",
    "case": "case $x in\na|b) pip a ;;\n(c)\npip b\n;;\n*) if true; then\npip c; fi\nesac\npip d",
    "case-word": "case a\nin\n  a)\n  pip;;\n  b) pip b ;&\n  c) esac",
    "case-end": 'case x in x) pip\nesac && pip b\ncase y in\nesac\n! case "a\nb" in (*) pip; esac',
    "group": "{\n  pip a\n} && {\npip b; }\n{ pip c\n} > out 2>&1",
    "subshell": "(\n  cd x && pip a\n)\n(pip b;\npip c) | (pip d\n)\n((1 + 1))\n( (pip e) )",
    "and": "pip a &&\n\npip b ||\n  pip c\npip d & pip e\npip f;",
    "pipe": "pip a |\n# a word\npip b |&\npip c\npip d | { pip e\n}",
    "backslash": "pip \\\n  install \\\n  x\npip 'a\\\nb' \\\\\npi\\\np c\npip \\\n\npip",
    "quotes": 'pip \'a\nb\n\' "c\n\'d\n" e\npip $\'a\\\'\nb\' "a \\" b"\npip "$(pip "x\ny")"',
    "substitution": 'pip $(\n  pip a | (\n pip b )\n) `pip c\npip d`\nx=$(case a in (a) pip;; esac)\npip "${x:-\n}"',
    "braces": 'pip ${x:-a b} ${x#\\}}\npip ${x:-"a}\n"}\npip ${x:-${y:-$(pip a)\n}} {a,b} a{b',
    "arithmetic": 'pip $((1 + (2\n* 3)))\npip "$((1))" $(( (1) ))\n((x = (1 + 2) * 3)) && pip\nx=$((1\n))',
    "arrays": "x=(a\n  'b c'\n\n$(pip)\n)\nx+=(d) pip\npip ${x[0]} \"${x[@]}\" $x",
    "process": "pip <(pip a\npip b) >(cat)\npip < <(pip\n)",
    "document": "cat <<EOF\nfoo 'bar\n if\nEOF\npip a",
    "documents": "cat <<A <<'B'; pip x\nit's\nA\n\\\nB\npip b\ncat <<-\"E F\" | cat &&\n\tfoo\n\tE F\npip c",
    "document-joined": "cat <<EOF\na\\\nEOF\nb\\\\\nEOF\ncat <<'EOF'\n\\\nEOF\npip",
    "document-inside": "for x in a; do cat <<E\nx\nE\npip a\ndone\nx=$(cat <<E\n)\nE\n)\npip b <<< 'a\nb'",
    "function": "f() {\n  pip a\n}\nfunction g {\n pip b\n}\nh () (\npip c\n)\npip d",
    "function-later": "f()\n{\npip a; }\nfunction g()\n\n{ pip b\n}\nfunction h\n{ pip c; }",
    "function-nested": "f() { g() {\npip a\n}; if true; then\npip b; fi\n}\nf() { pip; } > out",
    "function-bodies": "f() if true; then\npip\nfi\ng() for x in a; do\npip; done\nh() case x in\nesac",
    "tests": "if [[ -d x && -f y ]]; then\npip a; fi\n[[ a == b* ||\n b =~ c ]] || pip c\n[ -d x ] &&\npip d",
    "test-lines": "[[ -n x\n]]\n[[ ( a == b )\n&& ! -d x ]] && {\npip\n}",
    "redirections": "pip >out 2>&1\n2>err pip <<<a\n{ pip; } 2>&1 |\ncat\n>out pip if\nA=1 if\npip >|o &>all &>>all",
    "not-reserved": "pip if then fi do done {x} esac [[ function\necho for x in a\npip install while\n'if' a\n\\for b",
    "assignments": "A=1 B='2\n' pip\nA= \\\npip\na[0]=1 b[x]='y\n'",
    "time": "time pip a\ntime {\npip b\n}\n! {\npip c; }\ntime -p pip d |\npip e\n! time pip f",
    "ends": "pip a ;\npip b &\n{ pip c & }\nif pip d & then pip e; fi\nfor x in a; do pip & done\n(pip &\n)",
    "blank": "\n\n  \npip a\n\n\t\nif true\n\nthen\n\npip b\n\nfi\n\n",
    "signs": 'pip $# $$ $? $! $@ $* $- ${#x} a#b\npip $x"$y"\'z\n\'$z\npip \\# \\\'\\" \\( a=b $ "$"',
    "comments": "pip a # it's\n# if\nfor x in a # for (\ndo # \"\npip # a\\\ndone # |\npip a && # b\npip c",
    "comment-heredoc": "pip # <<E\nx=(a # )\nb) # (\ncase a in # )\na) pip # ;;\n;; # (\nesac",
    "one-line": "for x in a; do if pip; then (pip); fi; done; case x in a) pip;; esac; f() { pip; }; { pip; }",
    "select": "select x in a b\ndo\npip $x; break\ndone </dev/null\nselect y\nin c; do break\ndone </dev/null",
}
"""Every prefix of these, by lines, is compared; nothing in them is found, so they may be run."""

BASH_ONLY = {"comments", "comment-heredoc", "pipe", "redirections"}
"""An interactive zsh reads comments as words, and no reserved word behind an assignment."""

BETWEEN = re.compile(rb"<([12])>")


def prompts(shell: str, script: str, folder: Path) -> list[bool]:
    """For each line of the script whether the interactive shell asks for more behind it."""
    options = {
        "bash": ["--norc", "--noprofile", "-i"],
        "zsh": ["-f", "-i", "+Z", "-o", "nopromptsp", "-o", "nopromptcr"],
    }
    told = subprocess.run(
        [str(shutil.which(shell)), *options[shell]], input=script.encode() + b"\n", cwd=folder, timeout=30, check=False,
        env={"PATH": "/nowhere", "HOME": str(folder), "PS1": "<1>", "PS2": "<2>", "PS3": "", "HISTFILE": "/dev/null"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    found = BETWEEN.findall(told.stderr)
    assert found[0] == b"1", told.stderr
    return [prompt == b"2" for prompt in found[1:]]


def errors(shell: str, text: bytes) -> bytes:
    """What the shell finds wrong with the text."""
    told = subprocess.run([str(shutil.which(shell)), "-n"], input=text + b"\n", capture_output=True, check=False)
    return told.stderr


def accepted(shell: str, text: bytes) -> bool:
    """Whether it finds nothing."""
    return not errors(shell, text)


@pytest.mark.parametrize(
    ("shell", "name"),
    [("bash", name) for name in SCRIPTS] + [("zsh", name) for name in SCRIPTS if name not in BASH_ONLY],
)
def test_the_shell_asks_for_more_where_it_is_unfinished(shell: str, name: str, tmp_path: Path) -> None:
    """At each line of a script: closed gives it back exactly where the shell prompts anew; what it adds is right."""
    script = SCRIPTS[name].split("\n")
    (tmp_path / "in").touch()
    asked = prompts(shell, SCRIPTS[name], tmp_path)
    assert len(asked) == len(script)
    begin = 0
    for at, more in enumerate(asked):
        before = "".join(line + "\n" for line in script[begin:at]).encode()
        text = before + script[at].encode()
        made = closed(before, script[at].encode(), shell)
        assert (made != text) == more, text
        assert made is None or made.startswith(text)
        if made is not None:
            assert accepted(shell, made), made
        if not more:
            begin = at + 1
            assert closed(text + b"\n", b"pip", shell) is None


ADDED = [
    ("bash zsh", "for x", "do :\ndone"),
    ("bash zsh", "for x in a b", "do :\ndone"),
    ("bash zsh", "for x in a b; do", ":\ndone"),
    ("bash zsh", "for x in a b; do pip install $x", "done"),
    ("bash zsh", "while pip install x", "do :\ndone"),
    ("bash zsh", "until", ":\ndo :\ndone"),
    ("bash zsh", "if pip install x", "then :\nfi"),
    ("bash zsh", "if a; then b; elif pip install x", "then :\nfi"),
    ("bash zsh", "if a; then b; else pip install x;", "fi"),
    ("bash zsh", "case x", "in\nesac"),
    ("bash zsh", "case x in a) pip install x", "esac"),
    ("bash zsh", "case x in a) pip install x;;", "esac"),
    ("bash zsh", "{ pip install x", "}"),
    ("bash zsh", "(pip install x", ")"),
    ("bash zsh", "pip install x &&", ":"),
    ("bash zsh", "pip install x |", ":"),
    ("bash zsh", "{ pip install x || (cd y; while a; do if pip install y &&", ":\nthen :\nfi\ndone\n)\n}"),
    ("bash", "pip install x # it's\nif pip install y # (", "then :\nfi"),
    ("bash zsh", "f()", "{ :\n}"),
    ("bash zsh", "function f", "{ :\n}"),
    ("bash zsh", "f() { (pip install x", ")\n}"),
    ("zsh", "{ pip install x } always", None),
    ("zsh", "{ pip install x } && pip install <1-3> *(.) &!", ""),
    ("bash", "{ pip install x }", "}"),
    ("bash zsh", "pip install x", ""),
    ("bash zsh", "f() { (pip install x); }", ""),
    ("bash zsh", "for x in a b; do pip install $x; done; pip install x", ""),
]


@pytest.mark.parametrize(("shells", "text", "added"), ADDED, ids=[text for _, text, _ in ADDED])
def test_it_is_closed_in_the_shortest_way(shells: str, text: str, added: str | None) -> None:
    """Only what is missing is added, at the end, and a doubtful line is left as it is."""
    for shell in shells.split():
        expected = f"{text}\n{added}" if added else text
        assert closed(b"", text.encode(), shell) == expected.encode()


JUDGED = [
    ("", "if pip install x", ["pip"], [False]),
    ("", "for x in a; do cd sub; pip install x", ["pip"], [True]),
    ("if true; then\n", "pip install x", ["true", "pip"], [False, True]),
    ("cd sub &&\n", "pip install x &&", ["pip"], [False]),
    ("pip \\\n", "install x |", ["pip"], [False]),
    ("(cd sub\n", "pip install x", ["pip"], [False]),
    ("case $x in\na)\n", "pip install x;;", ["pip"], [True]),
    ("cat <<E\npip install y\n", "E", ["cat"], [False]),
    ("", "f() {\npip install x", [], []),
    ("function f {\n", "pip install x &&", [], []),
    ("f() (\n", "if pip install x; then", [], []),
    ("f() if true\n", "then pip install x", [], []),
]


@pytest.mark.parametrize(("before", "line", "names", "conditional"), JUDGED)
def test_what_is_typed_is_judged(before: str, line: str, names: list[str], conditional: list[bool]) -> None:
    """The closed text is read as the commands typed so far, in their places; those of a function being made are not."""
    for shell in ("bash", "zsh"):
        made = closed(before.encode(), line.encode(), shell)
        assert made is not None
        reading = read(made, shell)
        assert reading.complete, reading.reason
        found = [command for command in reading.commands if command.name != b":"]
        assert [command.name.decode() for command in found if command.name is not None] == names
        assert [command.conditional for command in found] == conditional
        typed = [made[slice(*command.span)] for command in found if command.span]
        assert all(text in (before + line).encode() for text in typed)


@pytest.mark.parametrize(
    "text",
    [
        "pip 'x", 'pip "x', "pip $(pip x", "pip `pip x", 'pip "${x:-', "pip $((1 +", "((1 +", "x=(a", "cat <<E\npip x",
        "pip \\", "pip $'x", "[[ -d x &&", "if pip x; then pip 'y", "f() { pip <(pip x", "pip x && \\",
    ],
)  # fmt: skip
def test_more_words_will_come(text: str) -> None:
    """Inside a word, a quote, an expansion, a condition or a here document nothing is certain."""
    assert closed(b"", text.encode(), "bash") is None
    assert closed(b"", text.encode(), "zsh") is None


@pytest.mark.parametrize(
    "before", ["pip x\n", "\n", "pip x &\n", "cat <<E\nE\n", "pip x", "pip x )\n", "fi\n", "f() { :; }\n"]
)
def test_input_for_a_program_is_no_command(before: str) -> None:
    """Where the lines before are complete, or no command at all, this one is not a part of them."""
    for shell in ("bash", "zsh"):
        assert closed(before.encode(), b"pip install x", shell) is None


def test_limits_and_other_shells() -> None:
    """Eight kibibytes with what is added; fish holds its commands itself; what another shell would do is not known."""
    fits = b"(" + b"x" * (LINE_LIMIT - 3)
    assert closed(b"", fits, "bash") == fits + b"\n)"
    assert closed(b"", fits + b"x", "bash") is None
    assert closed(b"", b"x" * LINE_LIMIT, "bash") == b"x" * LINE_LIMIT
    assert closed(b"x", b"x" * LINE_LIMIT, "bash") is None
    assert closed(b"", b"if pip install x", "fish") == b"if pip install x"
    assert closed(b"", b"x" * (LINE_LIMIT + 1), "fish") is None
    assert closed(b"", b"pip", "tcsh") is None


PARTS = [
    b"pip ", b" ", b"&&", b"||", b";", b"|", b"&", b"\n", b"(", b")", b"$(", b"`", b"{ ", b" }", b"'", b'"', b"\\",
    b"$",
    b"${", b"}", b"*", b"[", b"]", b"<", b">", b"<<E\n", b"E\n", b"<<<", b"<(", b"if ", b"then ", b"elif ", b"else ",
    b"fi ", b"for i in ", b"for ((", b"do ", b"done ", b"while ", b"case ", b" in ", b"esac ", b";;", b"f() ",
    b"function ", b"A=1 ", b"A=(", b"time ", b"! ", b"[[ ", b" ]]", b"((", b"))", b"#", b"\xff", b"\0", b"\r", b"$'",
    b"\\\n", b"2>", b"$((", b"=(", b"?(", b"&!", b"coproc ", b"<1-2>", b"\xc3\xa9",
]  # fmt: skip


def sound(before: bytes, line: bytes, shell: str) -> None:
    """What holds for any text."""
    made = closed(before, line, shell)
    assert made is None or (made.startswith(before + line) and len(made) <= LINE_LIMIT)
    if made is not None and made != before + line:
        # What was closed needs nothing more.
        assert closed(b"", made, shell) == made
        assert closed(before + line + b"\n", made[len(before + line) + 1 :], shell) == made


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=120), st.sampled_from(["bash", "zsh", "fish"]))
def test_arbitrary_octets_are_closed(before: bytes, line: bytes, shell: str) -> None:
    """Octets without any meaning raise nothing."""
    sound(before, line, shell)


@settings(max_examples=800, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=25), st.integers(0, 25), st.sampled_from(["bash", "zsh"]))
def test_arbitrary_syntax_is_closed(parts: list[bytes], split: int, shell: str) -> None:
    """Pieces of real syntax in any order, some of them on lines before."""
    sound(b"".join(parts[:split]), b"".join(parts[split:]), shell)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_what_is_closed_is_what_bash_asks_for(parts: list[bytes]) -> None:
    """Whatever was closed, bash had found its end missing before, and nothing else."""
    text = b"".join(parts)
    made = closed(b"", text, "bash")
    if made is not None and made != text and b"\0" not in text:
        assert not accepted("bash", text), text
        assert accepted("bash", made) or b"unexpected end" not in errors("bash", made), made


@pytest.mark.parametrize("part", PARTS, ids=repr)
def test_work_is_bounded(part: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest line of anything repeated costs a limited number of steps, and no recursion error."""
    budgets: list[Budget] = []

    class Counted(Budget):
        def __init__(self) -> None:
            super().__init__()
            budgets.append(self)

    monkeypatch.setattr(lexing, "Budget", Counted)
    for shell in ("bash", "zsh"):
        for text in ((part * LINE_LIMIT)[:LINE_LIMIT], (b"a" + part) * 900, part * 40 + b" pip", (part + b"a;") * 900):
            sound(b"", text[:LINE_LIMIT], shell)
    assert budgets
    assert max(budget.visited for budget in budgets) <= WORK_LIMIT + LINE_LIMIT
