"""The table of mutations fits the hooks as they are; ``tests/shells/mutate`` runs it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def test_every_mutation_finds_its_line_and_changes_the_hook() -> None:
    """A line that moved or was rewritten takes its mutation along; each shell has mutations."""
    spec = importlib.util.spec_from_file_location("mutation_run", HERE / "mutation/run.py")
    assert spec is not None
    assert spec.loader is not None
    run = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = run
    spec.loader.exec_module(run)
    mutations = run.load()
    for mutation in mutations:
        text = (HERE.parents[1] / "shell" / mutation.file).read_text()
        assert mutation.apply(text) != text, mutation
    parts = {f"{part}.{shell}" for part in ("alight", "guard") for shell in ("zsh", "bash", "fish")}
    assert {mutation.file for mutation in mutations} == parts
