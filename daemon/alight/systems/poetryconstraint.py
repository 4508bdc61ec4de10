"""Poetry's own notation for versions of Python, as PEP 440 (poetry-core: constraints/version/parser.py)."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

CONSTRAINT_LIMIT = 256
"""Characters of a Python constraint that are worth parsing."""

_SEPARATOR = re.compile(r"\s*,\s*|(?<![\^~<>=!\s])\s+")
_PART = re.compile(r"(\^|~=|~|==?|!=|<>|<=?|>=?)?\s*v?(\d{1,9}(?:\.\d{1,9})*)((?:\.\*)*)([\w.+-]*)\Z")
_OPERATORS = {"": "==", "=": "==", "<>": "!="}


def caret_specifier(text: str) -> str:
    """A Poetry constraint (``^3.9``, ``~3.9``, ``3.*``, ``>=3.9 <4``) as a PEP 440 specifier.

    "" when it allows everything, when it is a union (``||``), which PEP 440 cannot say, or when it is no constraint.
    """
    parts: list[str] = []
    for part in _SEPARATOR.split(text.strip().rstrip(",").rstrip()) if len(text) <= CONSTRAINT_LIMIT else ():
        match = _PART.match(part)
        if match is None:
            return ""
        parts += _translated(*match.groups(default=""))
    try:
        SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        return ""
    return ",".join(parts)


def allows(constraint: str, minor: str) -> bool:
    """True when some Python X.Y.Z of this X.Y satisfies a Poetry constraint; an unreadable one allows everything."""
    for alternative in re.split(r"\|\|?", constraint[: CONSTRAINT_LIMIT + 1]):
        allowed = SpecifierSet(caret_specifier(alternative))
        named = [spec.version for spec in allowed if spec.version.startswith(minor + ".") and "*" not in spec.version]
        if any(allowed.contains(version) for version in (minor + ".0", minor + ".999", *named)):
            return True
    return False


def _translated(operator: str, number: str, wildcard: str, suffix: str) -> list[str]:
    operator = _OPERATORS.get(operator, operator)
    version = number + suffix
    if operator not in {"^", "~"}:
        return [operator + version + (wildcard and ".*" if operator in {"==", "!="} else "")]
    numbers = [int(part) for part in number.split(".")]
    kept = min(len(numbers), 2 if operator == "~" else 3)
    if operator == "^":
        # A caret keeps everything up to the first number that is not zero.
        kept = next((index + 1 for index, part in enumerate(numbers[:3]) if part), kept)
    upper = [*numbers[: kept - 1], numbers[kept - 1] + 1]
    return [">=" + version, "<" + ".".join(str(part) for part in upper)]
