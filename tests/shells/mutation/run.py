"""Remove one guarding line of a hook at a time and expect the test of its rule to fail.

``mutations.toml`` beside this file lists, per shell and rule, what to replace and the tests that must notice. A
mutation whose text is not found exactly once, or whose tests still pass, fails the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]


@dataclass(frozen=True)
class Mutation:
    """One line taken out of one hook, and the tests that must fail then."""

    shell: str
    rule: str
    find: str
    put: str
    tests: str
    everywhere: bool = False
    part: str = "alight"

    @property
    def file(self) -> str:
        """The name of the hook's file that has the line."""
        return f"{self.part}.{self.shell}"

    def apply(self, text: str) -> str:
        """The hook without the line; raises ValueError when it is not there, or in more places than the table says."""
        found = text.count(self.find)
        if found == 0 or (found > 1 and not self.everywhere):
            raise ValueError(f"{self.shell} {self.rule}: found {text.count(self.find)} times: {self.find!r}")
        return text.replace(self.find, self.put)


def load() -> list[Mutation]:
    """Every mutation of the table."""
    table = tomllib.loads((HERE / "mutations.toml").read_text())
    return [Mutation(shell, **entry) for shell, entries in table.items() for entry in entries]


def survives(mutation: Mutation) -> bool:
    """Run the tests against the mutated hook; True when none of them noticed."""
    with tempfile.TemporaryDirectory() as directory:
        hooks = Path(directory) / "shell"
        shutil.copytree(CHECKOUT / "shell", hooks)
        file = hooks / mutation.file
        file.write_text(mutation.apply(file.read_text()))
        command = [
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-k",
            f"{mutation.shell} and ({mutation.tests})",
        ]
        done = subprocess.run(
            [sys.executable, *command, str(CHECKOUT / "tests/shells")],
            env={**os.environ, "HOOKS_UNDER_TEST": str(hooks)},
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise ValueError(
            f"{mutation.shell} {mutation.rule}: pytest ended with {done.returncode}\n{done.stdout.decode()}"
        )
    return done.returncode == 0


def main(words: list[str]) -> int:
    """Run the chosen mutations; 1 when one survives."""
    shells = {word for word in words if word in ("zsh", "bash", "fish")} or {"zsh", "bash", "fish"}
    rules = {word.upper() for word in words} - {shell.upper() for shell in shells}
    survivors = 0
    chosen = [one for one in load() if one.shell in shells and (not rules or one.rule in rules)]
    for mutation in chosen:
        survived = survives(mutation)
        survivors += survived
        outcome, line = "SURVIVED" if survived else "noticed ", mutation.find.splitlines()[0].strip()
        print(f"{outcome}  {mutation.shell:4} {mutation.rule:5} {line}", flush=True)
    print(f"{len(chosen)} mutations, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
