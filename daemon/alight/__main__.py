"""``python -m alight``: the same as the ``alight`` command."""

from alight.cli.main import main

if __name__ == "__main__":
    main()
