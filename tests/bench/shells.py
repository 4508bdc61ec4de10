"""How each shell is started for a measurement: the same plain prompt and silence whatever the tool."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.playground import Tree

# The counter is arithmetic in the prompt itself: no fork, no hook of ours beside the tool's.
ZSH = r"""
unset HISTFILE
unsetopt prompt_sp prompt_cr beep
setopt prompt_subst
PROMPT='@$((++bench_prompt))@ '
"""
BASH = r"""
unset HISTFILE PROMPT_COMMAND
PS1='@$((++bench_prompt))@ '
"""
# An existing generated_completions folder keeps a first fish from parsing man pages beside the measurement.
FISH = r"""
set -g fish_greeting
set -g fish_autosuggestion_enabled 0
set -g fish_history ''
set -g bench_prompt 0
function fish_prompt
    set -g bench_prompt (math $bench_prompt + 1)
    echo -n "@$bench_prompt@ "
end
function fish_right_prompt
end
function fish_title
end
"""


@dataclass(frozen=True)
class Shell:
    """A shell by name: where its rc file lies under a home, what every rc begins with, how it is started."""

    name: str
    rc: str
    preamble: str
    arguments: tuple[str, ...]

    @property
    def executable(self) -> str | None:
        return shutil.which(self.name)

    def command(self, tree: Tree, hook: str) -> list[str]:
        """Write the rc file (plain prompt, then the tool's lines) and return the words that start the shell."""
        rc = tree.home / self.rc
        rc.parent.mkdir(parents=True, exist_ok=True)
        rc.write_text(f"{self.preamble}\n{hook}\n")
        if self.name == "fish":
            (Path(tree.environment["XDG_DATA_HOME"]) / "fish" / "generated_completions").mkdir(
                parents=True, exist_ok=True
            )
        return [self.executable or self.name, *(argument.replace("RC", str(rc)) for argument in self.arguments)]


SHELLS = (
    Shell("zsh", ".zshrc", ZSH, ("-d", "-i")),
    Shell("bash", ".bashrc", BASH, ("--noprofile", "--rcfile", "RC", "-i")),
    Shell("fish", ".config/fish/config.fish", FISH, ("-i",)),
)
