import json
from pathlib import Path

import pytest
from conftest import Place

from api.identity import NotAuthenticated
from app.config import Config
from app.embedded_postgres import EmbeddedPostgres
from app.issuer import Issuer
from app.wiring import (
    NotMigrated,
    any_postgres,
    open_database,
    open_rooms,
    own_issuer,
    owned_postgres,
    verifier,
)

DSN = "postgresql://syncledger_app@database/settings"


def config(tmp_path: Path, **given: object) -> Config:
    return Config.model_validate({"data": tmp_path, **given})


def test_a_dsn_is_taken_as_it_is_and_stands_for_the_owner_too(tmp_path: Path) -> None:
    for postgres in (owned_postgres, any_postgres):
        with postgres(config(tmp_path, dsn=DSN)) as place:
            assert (place.dsn, place.owner_dsn, place.embedded) == (DSN, DSN, None)
    owner = DSN.replace("syncledger_app", "owner")
    with owned_postgres(config(tmp_path, dsn=DSN, owner_dsn=owner)) as place:
        assert (place.dsn, place.owner_dsn) == (DSN, owner)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgres
def test_without_a_dsn_a_server_runs_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    with owned_postgres(config(tmp_path)) as owned:
        assert owned.embedded is not None
        assert "syncledger_app" in owned.dsn
        assert "syncledger_app" not in owned.owner_dsn
        with any_postgres(config(tmp_path)) as attached:
            assert (attached.dsn, attached.embedded) == (owned.dsn, None)
        assert not owned.embedded.ended()
    with any_postgres(config(tmp_path)) as place:
        assert isinstance(place.embedded, EmbeddedPostgres)


async def test_a_token_of_the_own_issuer_is_good(tmp_path: Path) -> None:
    issuer = own_issuer(config(tmp_path))
    assert issuer is not None
    token = issuer.token("ada")
    assert (await verifier(config(tmp_path)).identify(f"Bearer {token}")).subject == "ada"


async def test_where_a_provider_is_named_only_its_tokens_are_good(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(Issuer.open(tmp_path / "provider").jwks()))
    named = config(tmp_path, issuer="https://login", audience="syncledger", jwks=str(keys))
    assert own_issuer(named) is None
    token = Issuer.open(tmp_path).token("ada")
    with pytest.raises(NotAuthenticated, match="is not in the key set"):
        await verifier(named).identify(f"Bearer {token}")


async def test_a_database_without_our_schema_is_told_to_be_migrated(place: Place) -> None:
    await place.as_superuser("DELETE FROM syncledger.migrations WHERE name = 'schema.sql'")
    with pytest.raises(NotMigrated, match=r"it lacks schema\.sql.: run `syncledger migrate`"):
        async with open_database(place.dsn):
            raise AssertionError("it was opened")


async def test_the_rooms_are_closed_after_use(place: Place) -> None:
    async with open_rooms(place.dsn) as rooms:
        assert await rooms.log.heads() == []
    with pytest.raises(Exception, match="pool is clos"):
        await rooms.log.heads()
