"""Puts the shell files into the wheel.

An editable install must not carry a copy of them: it would stay behind the checkout, where the package finds the
originals by itself.
"""

from __future__ import annotations

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShellFiles(BuildHookInterface[Any]):
    """The build hook of the wheel; an sdist takes ``shell/`` as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Ship ``shell/`` as ``alight/shell``; ``version`` is ``standard`` or ``editable``."""
        if self.target_name == "wheel" and version == "standard":
            shell = os.path.join(self.root, "shell")
            for directory, _, names in os.walk(shell):
                for name in names:
                    if not name.endswith(".zwc"):  # what zsh compiled here fits no other zsh
                        source = os.path.join(directory, name)
                        build_data["force_include"][source] = f"alight/shell/{os.path.relpath(source, shell)}"
