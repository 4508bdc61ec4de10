"""A typed line as the simple commands it starts, each with the state it starts in; no disk, nothing is run.

``read`` gives ``Simple`` commands in the order they run. The ``effects`` of a command stand before it on the line and
reach it; its ``wrappers`` stand directly in front of it. Both are symbolic: whoever knows the shell's variables and the
disk folds them from left to right, and expands words with ``expand``. What the line does not say is ``Unknown`` or
``Opaque``, never guessed; a line that cannot be read with certainty yields no commands at all.
"""

from alight.commandline.reading import LINE_LIMIT, inner, read
from alight.commandline.simple import Reading, Simple
from alight.commandline.unfinished import closed
from alight.commandline.words import Word, expand, fields

__all__ = ["LINE_LIMIT", "Reading", "Simple", "Word", "closed", "expand", "fields", "inner", "read"]
