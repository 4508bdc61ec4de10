"""Settings: precedence, sources, and errors that say where and what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.errors import SettingsError
from alight.settings import FILE_LIMIT, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where config.toml would be."""
    return tmp_path / "config.toml"


def test_defaults_without_a_file(file: Path) -> None:
    """A missing file is an empty one."""
    settings = load(file, {})
    assert [(setting.option.key, setting.value, setting.source) for setting in settings.all()] == [
        ("guard.mode", "ask", "default"),
        ("prompt.segment", True, "default"),
        ("log.level", "info", "default"),
        ("watch.enabled", True, "default"),
        ("virtualenvwrapper_hooks", False, "default"),
    ]


def test_precedence(file: Path) -> None:
    """Flag beats environment beats file beats default, and each value remembers its source."""
    file.write_text('[guard]\nmode = "warn"\n[prompt]\nsegment = false\n')
    assert (load(file, {}).guard_mode.value, load(file, {}).guard_mode.source) == ("warn", "file")
    assert load(file, {}).prompt_segment.value is False
    chosen = load(file, {"ALIGHT_GUARD": "block"}).guard_mode
    assert (chosen.value, chosen.source) == ("block", "environment")
    chosen = load(file, {"ALIGHT_GUARD": "block"}, {"guard.mode": "off"}).guard_mode
    assert (chosen.value, chosen.source) == ("off", "flag")
    assert load(file, {"ALIGHT_GUARD": ""}).guard_mode.value == "warn"


@pytest.mark.parametrize(("word", "value"), [("1", True), ("On", True), ("false", False), ("0", False)])
def test_switches_in_variables(file: Path, word: str, value: bool) -> None:
    """A variable for a switch takes the usual words."""
    assert load(file, {"ALIGHT_WATCH": word}).watch_enabled.value is value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[guard]\n\nmode = "maybe"\n', ["line 3", "guard.mode", "'maybe'", "ask, warn, block, off"]),
        ("guard.mode = 3\n", ["line 1", "guard.mode", "ask, warn, block, off"]),
        ("[prompt]\nsegment = 1\n", ["line 2", "prompt.segment", "true or false"]),
        (
            "# c\n[guard]\nmod = 'ask'\n",
            ["line 3", "guard.mod", "guard.mode, prompt.segment, log.level, watch.enabled, virtualenvwrapper_hooks"],
        ),
        ("guard = 'ask'\n", ["line 1", "guard is not a setting", "guard.mode"]),
        ("[nothing]\n", ["line 1", "nothing is not a setting"]),
        ("[guard\n", ["line 1"]),
        ("[guard]\nmode = ['ask']\n", ["line 2", "guard.mode"]),
    ],
)
def test_errors_say_where_and_what(file: Path, content: str, words: list[str]) -> None:
    """A value or key that does not fit is an error that names file, line, key and what is allowed."""
    file.write_text(content)
    with pytest.raises(SettingsError) as caught:
        load(file, {})
    text = f"{caught.value} -- {caught.value.remedy}"
    assert all(word in text for word in [str(file), *words]), text


def test_a_bad_variable_is_named(file: Path) -> None:
    """The error names the variable, not the file."""
    with pytest.raises(SettingsError, match="ALIGHT_GUARD is 'loud'"):
        load(file, {"ALIGHT_GUARD": "loud"})


def test_what_is_no_usable_file(file: Path, tmp_path: Path) -> None:
    """A FIFO is refused without waiting for a writer; so are a directory, a huge file and octets that are not UTF-8."""
    os.mkfifo(file)
    with pytest.raises(SettingsError, match="not a regular file"):
        load(file, {})
    with pytest.raises(SettingsError, match="not a regular file"):
        load(tmp_path, {})
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * (FILE_LIMIT + 1))
    with pytest.raises(SettingsError, match="larger than"):
        load(huge, {})
    foreign = tmp_path / "latin.toml"
    foreign.write_bytes(b"# ok\n# \xff\n")
    with pytest.raises(SettingsError, match="line 2"):
        load(foreign, {})
