"""The ``alight`` command: thin verbs, one module each, and the only code that prints (``render``).

``main`` builds the group lazily, ``session`` gives verbs the process and the daemon, ``shapes`` holds the JSON
contracts, ``place`` reads DIR arguments, ``shellfiles`` and ``quoting`` serve ``alight init``.
"""
