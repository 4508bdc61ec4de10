"""Where the real virtualenv puts an environment, in the ways projects refer to it, is what is read of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from alight.files.disk import Disk
from alight.resolver import resolve
from support.playfield import Clock, link, write
from support.tools import clean_environment, tool

# (configuration, the rule that answers, the name)
CONFIGURATIONS = (
    ("in the project", "venv-directory", "my project"),
    ("by its own configuration file", "venv-directory", "from-file"),
    ("by its own variable", "venv-directory", "from-variable"),
    ("with another usual name", "local-prefix", "my project"),
    ("behind a link", "venv-directory", "my project"),
    ("behind a pointer file", "venv-pointer-file", "one"),
    ("among .python-envs", "python-envs", "one"),
    ("as copies", "venv-directory", "my project"),
)


@pytest.mark.parametrize(("configuration", "rule", "name"), CONFIGURATIONS)
def test_virtualenv(tmp_path: Path, configuration: str, rule: str, name: str) -> None:
    """Prefix, version, base and site-packages are the environment's own word, whatever leads to it."""
    project, outside = tmp_path / "home" / "my project", tmp_path / "home" / "envs" / "one"
    project.mkdir(parents=True)
    prefix, words = project / ".venv", ["--no-seed", "-q", "--no-download"]
    variables: dict[str, str] = {}
    match configuration:
        case "by its own configuration file":
            write(tmp_path / "virtualenv.ini", "[virtualenv]\nprompt = from-file\n")
            variables["VIRTUALENV_CONFIG_FILE"] = str(tmp_path / "virtualenv.ini")
        case "by its own variable":
            variables["VIRTUALENV_PROMPT"] = "from-variable"
        case "with another usual name":
            prefix = project / "venv"
        case "behind a link":
            link(prefix, str(outside))
        case "behind a pointer file":
            write(prefix, f"{outside}\n")
            prefix = outside
        case "among .python-envs":
            write(project / ".python-envs", "../envs/one\n")
            prefix = outside
        case "as copies":
            words.append("--copies")
    made = outside if configuration == "behind a link" else prefix
    environment = clean_environment(tmp_path / "home", **variables)
    command = [str(tool("virtualenv")), *words, str(made)]
    subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True, timeout=60)
    answer = resolve(os.fsencode(project), {}, Disk(os.getuid(), Clock()), os.fsencode(tmp_path / "home"))
    found = answer.environment
    assert found is not None
    question = (
        "import os, platform, sys, sysconfig; paths = sysconfig.get_paths(); "
        "print(sys.prefix, sys.base_prefix, platform.python_version(), paths['purelib'], sep=os.linesep)"
    )
    asked = subprocess.run(
        [os.fsdecode(found.interpreter), "-I", "-c", question],
        env=environment, check=True, capture_output=True, text=True, timeout=60,
    ).stdout.splitlines()  # fmt: skip
    assert os.path.samefile(asked[0], made)
    assert found.base is not None
    assert [os.path.normpath(os.fsdecode(path)) for path in (found.prefix, found.base, *found.site_packages)] == [
        asked[0],
        asked[1],
        asked[3],
    ]
    assert (found.python_version, found.system, found.name) == (asked[2], "virtualenv", name)
    assert (answer.rule, answer.condition, answer.findings) == (rule, "found", ())
