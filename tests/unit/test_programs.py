"""The programs beside the tests that people start by hand: with any Python, from a checkout where nothing ran yet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PROGRAMS = sorted(
    path
    for path in (*(TESTS / "bench").iterdir(), TESTS / "conformance/freshness/run", TESTS / "shells/matrix")
    if path.is_file() and not path.suffix and path.read_text().startswith("#!/usr/bin/env python3")
)


def started(program: Path, environment: str) -> subprocess.CompletedProcess[str]:
    """With a Python that has no packages."""
    words = [sys.executable, "-I", "-S", str(program), "--help"]
    environ = {**os.environ, "ALIGHT_TEST_ENV": environment}
    return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_a_python_without_packages_goes_on_in_the_tests_environment(program: Path, tmp_path: Path) -> None:
    """Where there is one; else one line says how it is made, and nothing is traced."""
    lacking = started(program, str(tmp_path))
    assert (lacking.returncode, lacking.stdout) == (2, "")
    assert "./tests/run once" in lacking.stderr
    assert lacking.stderr.count("\n") == 1
    found = started(program, sys.prefix)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("usage: tests/")
