"""Where an installer command will write packages, predicted without running it (landing rules).

One file an installer; ``base`` holds what they are given and what they answer. The installers know nothing of verdicts:
``judge`` compares their predictions with what the project expects. ``INSTALLERS`` are asked in their order, the first
that has an answer is right; ``RUNNERS`` start other commands and are asked before.
"""

from alight.landing.base import Installer, Runner
from alight.landing.conda import Conda
from alight.landing.ensurepip import EnsurePip
from alight.landing.flit import Flit
from alight.landing.hatch import Hatch
from alight.landing.pdm import Pdm
from alight.landing.pip import Pip
from alight.landing.pipenv import Pipenv
from alight.landing.pipsync import PipSync
from alight.landing.pipx import Pipx
from alight.landing.pixi import Pixi
from alight.landing.poetry import Poetry
from alight.landing.runners import RUNNERS as PROJECT_RUNNERS
from alight.landing.setuppy import SetupPy
from alight.landing.uvpip import UvPip
from alight.landing.uvproject import UvProject
from alight.landing.uvrun import UvRun
from alight.landing.uvtool import UvTool
from alight.landing.venv import Venv

INSTALLERS: tuple[Installer, ...] = (
    Pip(), PipSync(), Flit(), SetupPy(), EnsurePip(), Venv(), Pipx(), UvPip(), UvProject(), UvTool(),
    Poetry(), Pipenv(), Pdm(), Hatch(), Conda(), Pixi(),
)  # fmt: skip
RUNNERS: tuple[Runner, ...] = (UvRun(), *PROJECT_RUNNERS)
