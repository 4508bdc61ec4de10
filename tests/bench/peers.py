"""Peers that come as plugins and are taken only where they are already: one generator each, as in ``tools``.

Neither is in a package registry. pyenv-virtualenv is looked for where pyenv looks for plugins, the zsh plugin where
plugin managers put it; a clone of either in ``tests/.cache/peers`` is found, too. Nothing is downloaded here.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.places import CHECKOUT, NotInstalled, Place, Ready, ToolMissing, run

CLONES = CHECKOUT / "tests" / ".cache" / "peers"
"""Where clones are found; not part of the repository."""
PYENV_VIRTUALENV = "github.com/pyenv/pyenv-virtualenv"
AUTOSWITCH = "github.com/MichaelAquilina/zsh-autoswitch-virtualenv"
AUTOSWITCH_FILE = "autoswitch_virtualenv.plugin.zsh"
AUTOSWITCH_PLACES = (
    "$AUTOSWITCH_DIRECTORY",
    "$ZSH_CUSTOM/plugins/autoswitch_virtualenv",
    "~/.oh-my-zsh/custom/plugins/autoswitch_virtualenv",
    "~/.antigen/bundles/MichaelAquilina/zsh-autoswitch-virtualenv",
    "~/.local/share/zinit/plugins/MichaelAquilina---zsh-autoswitch-virtualenv",
)


@contextlib.contextmanager
def pyenv_virtualenv(place: Place) -> Iterator[Ready]:
    """The two ``init`` lines of its manual; each project's environment is a virtualenv of pyenv's, named by a file.

    It never puts an environment on PATH: pyenv's shims stay there and choose at each call, which costs every command,
    not the ``cd``. So ``$VIRTUAL_ENV`` is what it is tested by.
    """
    program, plugin = _pyenv()
    root = place.tree.home / ".pyenv"
    for project in place.tree.projects:
        # As `pyenv virtualenv` leaves it: a link by the environment's name.
        (root / "versions").mkdir(parents=True, exist_ok=True)
        (root / "versions" / project.name).symlink_to(project / ".venv")
        (project / ".python-version").write_text(f"{project.name}\n")
    path = f"{program.parent}:{plugin / 'bin'}:{place.tree.environment['PATH']}"
    added = {"PYENV_ROOT": str(root), "PATH": path}
    environment = {**place.tree.environment, **added}
    said = run([str(plugin / "bin" / "pyenv-virtualenv"), "--version"], environment)
    hooks = {
        shell: "\n".join(f'eval "$(pyenv {verb} - {shell})"' for verb in ("init", "virtualenv-init"))
        for shell in ("zsh", "bash")
    }
    fish = "\n".join(f"pyenv {verb} - fish | source" for verb in ("init", "virtualenv-init"))
    yield Ready(_version(said), {**hooks, "fish": fish}, added, proof='echo "$VIRTUAL_ENV/bin/python"')


@contextlib.contextmanager
def autoswitch(place: Place) -> Iterator[Ready]:
    """The plugin sourced; it finds ``.venv`` by itself. It is for zsh only."""
    places = [Path(os.path.expandvars(os.path.expanduser(text))) for text in AUTOSWITCH_PLACES]
    found = _first([*places, CLONES / "zsh-autoswitch-virtualenv"], AUTOSWITCH_FILE)
    if found is None:
        raise NotInstalled(_advice(AUTOSWITCH))
    text = (found / AUTOSWITCH_FILE).read_text(errors="replace")
    # The plugin is silent without a Python on PATH, which the trees' PATH has.
    if shutil.which("python3", path=place.tree.environment["PATH"]) is None:
        raise ToolMissing("missing: no python3 where the distribution has it")
    yield Ready(_version(text), {"zsh": f"source {shlex.quote(str(found / AUTOSWITCH_FILE))}"})


def _pyenv() -> tuple[Path, Path]:
    """The program and the folder of the plugin."""
    root = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))
    programs = [root / "bin" / "pyenv", *(Path(found) for found in (shutil.which("pyenv"),) if found)]
    program = next((one for one in programs if one.is_file()), None)
    if program is None:
        raise NotInstalled("no pyenv")
    places = [root / "plugins" / "pyenv-virtualenv", CLONES / "pyenv-virtualenv"]
    found = shutil.which("pyenv-virtualenv-init")
    if found is not None:
        places.append(Path(os.path.realpath(found)).parents[1])
    plugin = _first(places, "bin/pyenv-virtualenv-init")
    if plugin is None:
        raise NotInstalled(_advice(PYENV_VIRTUALENV))
    return program, plugin


def _first(places: list[Path], file: str) -> Path | None:
    return next((place for place in places if (place / file).is_file()), None)


def _advice(repository: str) -> str:
    name = repository.rpartition("/")[2]
    return f"git clone https://{repository} tests/.cache/peers/{name}"


def _version(text: str) -> str:
    match = re.search(r"\d+\.\d+\.\d+", text)
    return match[0] if match else "?"
