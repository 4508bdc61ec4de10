"""What ``conda activate`` and ``pixi shell-hook`` change, as data (activation rules 3.3).

conda's own ``activate.py`` decides every doubt. Deliberate differences: the prompt is left alone, names that a hook
refuses are not set, files that others can write are not run, and a pixi environment's place in the stack is kept
under conda's name (``CONDA_PREFIX_<n>``), too, so that ``conda deactivate`` finds what lies beneath. ``PIXI_IN_SHELL``
and ``PIXI_EXE`` stay pixi's: this is not its shell.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from alight.activation import scripts, stack
from alight.activation.changes import Changes
from alight.activation.variables import wanted
from alight.files.disk import join
from alight.model import Environment
from alight.systems import condarc, condaroots, pixi
from alight.systems.base import Facts

_FIELD = re.compile(r"\{\{|\}\}|\{(default_env|stacked_env|prefix|name)\}|[{}]")
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
PROMPT_LIMIT = 512
FIELDS_LIMIT = 8


def activation(
    environment: Environment,
    variables: Mapping[str, bytes],
    shell: str,
    facts: Facts,
    *,
    root: bytes = b"",
    settled: bool = True,
) -> Changes:
    """The changes that put a conda or pixi environment on top of the stack that ``variables`` describe.

    ``root`` is the project's, which pixi tells of. ``settled`` says that what lies beneath is on in this very shell,
    so that its files for leaving run first; after something inherited was popped it is not.
    """
    beneath = stack.read(variables)
    prefix = environment.prefix
    own = _pixi_variables(environment, root, facts)
    assigned = [("CONDA_PREFIX", prefix), ("CONDA_SHLVL", b"%d" % (beneath.level + 1))]
    saved: list[tuple[str, str]] = []
    unset: list[str] = []
    added: list[bytes] = []
    if own is None:
        assigned += _naming(prefix, facts)
        program, unset, added = _program(prefix, variables, shell, facts, first=not beneath.level)
        assigned += program
    else:
        saved = [(f"CONDA_ENV_SHLVL_{beneath.level + 1}_CONDA_PREFIX", "CONDA_PREFIX")]
    for name, value in (*wanted(prefix, facts, pixi=own is not None), *(own or ())):
        level = f"CONDA_ENV_SHLVL_{beneath.level + 1}_" if own is not None else f"__CONDA_SHLVL_{beneath.level}_"
        saved.append((level + name, name))
        assigned.append((name, value))
    disk = facts.disk
    entering = scripts.activating(prefix, shell, disk)
    leaving = scripts.deactivating(prefix, shell, disk)
    if not beneath.level:
        return Changes(
            set=tuple(assigned),
            unset=tuple(unset),
            save=tuple(saved),
            path_add=(prefix + b"/bin", *added),
            run=entering,
            on_leave=leaving,
        )
    assigned.append((f"CONDA_PREFIX_{beneath.level}", beneath.prefix))
    return Changes(
        set=tuple(assigned),
        unset=tuple(unset),
        save=tuple(saved),
        run_first=scripts.deactivating(beneath.prefix, shell, disk) if settled else (),
        path_replace=((beneath.prefix + b"/bin", prefix + b"/bin"),),
        run=entering,
        on_leave=leaving,
        after_leave=scripts.activating(beneath.prefix, shell, disk),
    )


def leaving(variables: Mapping[str, bytes], shell: str, facts: Facts) -> Changes:
    """The files for the way out of what lies on top of the stack, as they are now."""
    top = stack.read(variables)
    if not top.level:
        return Changes()
    return Changes(
        on_leave=scripts.deactivating(top.prefix, shell, facts.disk),
        after_leave=scripts.activating(top.below, shell, facts.disk) if top.below else (),
    )


def _naming(prefix: bytes, facts: Facts) -> list[tuple[str, bytes]]:
    name = os.fsencode(condaroots.name_of(prefix, facts))
    settings = condaroots.settings(prefix, facts)
    modifier = prompt_modifier(settings.env_prompt, name, prefix) if settings.changeps1 else b""
    return [("CONDA_DEFAULT_ENV", name), ("CONDA_PROMPT_MODIFIER", modifier)]


def prompt_modifier(template: str, name: bytes, prefix: bytes) -> bytes:
    """The ``env_prompt`` filled in as conda does; the default one for a template that conda would not take.

    Only whole fields are replaced: a format string could ask for a gigabyte of padding.
    """
    values = {
        "default_env": os.fsdecode(name),
        "stacked_env": os.fsdecode(name),
        "prefix": os.fsdecode(prefix),
        "name": os.fsdecode(prefix.rpartition(b"/")[2]),
    }
    matches = list(_FIELD.finditer(template[: PROMPT_LIMIT + 1]))
    stray = any(match[0] in ("{", "}") for match in matches)
    if stray or len(template) > PROMPT_LIMIT or len(matches) > FIELDS_LIMIT or not template.isprintable():
        template = condarc.PROMPT
    return _CONTROL.sub(
        b"", os.fsencode(_FIELD.sub(lambda match: values[match[1]] if match[1] else match[0][0], template))
    )


def _program(
    prefix: bytes, variables: Mapping[str, bytes], shell: str, facts: Facts, *, first: bool
) -> tuple[list[tuple[str, bytes]], list[str], list[bytes]]:
    """The variables of conda itself, and its ``condabin`` for PATH where none is there; nothing without a conda."""
    disk = facts.disk
    chosen = facts.override_path("CONDA_EXE") or b""
    own = chosen.removesuffix(b"/bin/conda") if chosen.endswith(b"/bin/conda") else b""
    root = own if own and disk.exists(chosen) else condaroots.root_of(prefix, facts)
    if root is None or not disk.exists(join(root, b"bin/conda")):
        return [], [], []
    program = join(root, b"bin/conda")
    assigned = [
        ("CONDA_EXE", program),
        ("_CONDA_EXE", program),
        ("CONDA_PYTHON_EXE", join(root, b"bin/python")),
        ("_CONDA_ROOT", root),
    ]
    unset: list[str] = []
    for name in ("_CE_M", "_CE_CONDA"):
        # conda erases with an empty value where an unset one would trouble `set -u`.
        if shell == "fish":
            unset.append(name)
        else:
            assigned.append((name, b""))
    metadata = disk.stat(join(root, b"conda-meta"))
    entries = variables.get("PATH", b"").split(b":")
    usable = (
        first
        and not any(entry.endswith(b"condabin") for entry in entries)
        and metadata is not None
        and metadata.st_uid in {disk.uid, 0}
        and disk.is_directory(join(root, b"condabin"))
        and b":" not in root
    )
    return assigned, unset, [join(root, b"condabin")] if usable else []


def _pixi_variables(environment: Environment, root: bytes, facts: Facts) -> tuple[tuple[str, bytes], ...] | None:
    """The variables of pixi itself; None for what conda or mamba made."""
    if environment.system != "pixi":
        return None
    known = pixi.project_variables(environment.prefix, root, facts)
    known.setdefault("CONDA_DEFAULT_ENV", os.fsencode(pixi.name_of(environment.prefix, facts)))
    return tuple((name, _CONTROL.sub(b"", value)) for name, value in known.items() if name != "PIXI_IN_SHELL")
