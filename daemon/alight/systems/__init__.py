"""The environment systems alight knows; the order decides between equal ranks. A new one is a new line here.

mise comes first, since its own word about a ``.venv`` beats a file of that name; pixi before conda, whose history its
prefixes have, too; hatch is the last of the project tools, since its claim is the weakest; pools of plain venvs follow
those whose names carry a hash; venv comes last of all, since it describes whatever is left.
"""

from alight.systems.backlinks import BackLinks
from alight.systems.base import System
from alight.systems.conda import Conda
from alight.systems.hatch import Hatch
from alight.systems.mise import Mise
from alight.systems.pdm import Pdm
from alight.systems.pipenv import Pipenv
from alight.systems.pipx import Pipx
from alight.systems.pixi import Pixi
from alight.systems.poetry import Poetry
from alight.systems.pyenv import Pyenv
from alight.systems.uv import Uv
from alight.systems.venv import Venv
from alight.systems.wrapper import Wrapper

# fmt: off
_TOOLS: tuple[System, ...] = (
    Mise(), Uv(), Pixi(), Conda(), Poetry(), Pipenv(), Pdm(), Hatch(), Pyenv(), Wrapper(), Pipx(),
)
# fmt: on
SYSTEMS: tuple[System, ...] = (*_TOOLS, BackLinks(_TOOLS), Venv())
