"""gunicorn, started where nobody can slip a library under it.

gunicorn puts the current directory before everything that is installed, and whoever
starts the service may stand in a folder that others write to. Already last, it is not
put first.

Source: https://docs.gunicorn.org/en/stable/settings.html#chdir; security point 11.
"""

from __future__ import annotations

import sys

from gunicorn.app.wsgiapp import run
from gunicorn.util import getcwd


def main() -> None:
    """Run gunicorn with this process's arguments."""
    sys.path.append(getcwd())
    run()


if __name__ == "__main__":
    main()
