"""The environment systems alight knows; the order decides between equal ranks. A new one is a new line here."""

from alight.systems.base import System
from alight.systems.owners import OWNERS
from alight.systems.uv import Uv
from alight.systems.venv import Venv

SYSTEMS: tuple[System, ...] = (Uv(), *OWNERS, Venv())
