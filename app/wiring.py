"""The composition root: where real things are chosen and put together.

Law: the only place that knows every room; what it opens, it closes.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from api.context import Rooms
from api.entrance import Entrance
from api.identity import Verifier
from api.key_sets import FixedKeys, keys_at
from api.metrics import Metrics
from api.rates import Rates
from app.config import BadConfig, Config
from app.data_folder import CLUSTER, running
from app.embedded_postgres import EmbeddedPostgres, address
from app.issuer import AUDIENCE, ISSUER, Issuer
from eventstore.appender import Appender
from eventstore.attempts import Attempts
from eventstore.database import APPLICATION_ROLE, Database
from eventstore.doorbell import Doorbell
from eventstore.log import Log
from eventstore.migrate import pending
from eventstore.principals import Principals
from projections.projector import SCHEMA, Projector
from projections.standings import Standings

DATABASE = "postgres"
OWNER = "postgres"
NO_ROLE = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidParameterValueError,
    asyncpg.InsufficientPrivilegeError,
)
"""What the driver says where the application's role is not there, or is not ours to take."""


class NotMigrated(Exception):
    """The database does not have the schema of this version."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The database is not ready for this version ({why}): run `syncledger migrate`. By DSN "
            "it needs SYNCLEDGER_OWNER_DSN, a role that may create roles and schemas."
        )


class NoData(Exception):
    """Nothing was ever kept in this folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"There is no data in {data.resolve()}: `syncledger serve` makes it; or name another "
            "folder with SYNCLEDGER_DATA, or a database with SYNCLEDGER_DSN."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """Where the log is. `embedded`: the server that this process owns, if it owns one."""

    dsn: str
    owner_dsn: str
    embedded: EmbeddedPostgres | None = None


@contextmanager
def owned_postgres(config: Config) -> Iterator[Postgres]:
    """For `serve`: the database of the DSN, or an embedded server of this process alone.

    Raises DataFolderInUse when another process has the data folder.
    """
    if config.dsn is not None:
        yield Postgres(dsn=config.dsn, owner_dsn=config.owner_dsn or config.dsn)
        return
    if config.owner_dsn is not None:
        raise BadConfig(
            "SYNCLEDGER_OWNER_DSN is set and SYNCLEDGER_DSN is not: set both, or none of them for "
            "the embedded server. Only `migrate` needs nothing but the owner's."
        )
    server = EmbeddedPostgres.start(config.data)
    try:
        yield _embedded(server.socket_folder, server)
    finally:
        server.stop()


@contextmanager
def any_postgres(config: Config) -> Iterator[Postgres]:
    """For the other verbs: attached to a running `serve` where there is one."""
    own = config.dsn is None and config.owner_dsn is None
    folder = running(config.data) if own else None
    if folder is not None:
        yield _embedded(folder, None)
        return
    if own and not (config.data / CLUSTER).exists():
        raise NoData(config.data)
    with owned_postgres(config) as postgres:
        yield postgres


@contextmanager
def owners_postgres(config: Config) -> Iterator[str]:
    """For `migrate`: the DSN of the owner, made known in the same way."""
    if config.owner_dsn is not None:
        yield config.owner_dsn
        return
    folder = running(config.data) if config.dsn is None else None
    if folder is not None:
        yield _embedded(folder, None).owner_dsn
        return
    with owned_postgres(config) as postgres:
        yield postgres.owner_dsn


def _embedded(folder: Path, server: EmbeddedPostgres | None) -> Postgres:
    return Postgres(
        dsn=address(folder, user=APPLICATION_ROLE, database=DATABASE),
        owner_dsn=address(folder, user=OWNER, database=DATABASE),
        embedded=server,
    )


def own_issuer(config: Config) -> Issuer | None:
    """The issuer of the data folder; None where production names a provider."""
    return Issuer.open(config.data) if config.issuer is None else None


def verifier(config: Config) -> Verifier:
    """Tokens are verified the same way always; only the keys come from different places."""
    if config.issuer is None or config.audience is None or config.jwks is None:
        keys = FixedKeys(Issuer.open(config.data).jwks())
        return Verifier(issuer=ISSUER, audience=AUDIENCE, algorithms=("EdDSA",), keys=keys)
    return Verifier(
        issuer=config.issuer,
        audience=config.audience,
        algorithms=config.algorithms,
        keys=keys_at(config.jwks),
    )


def entrance(config: Config, rooms: Rooms, verifier: Verifier) -> Entrance:
    """The one way in, with the limits of the configuration."""
    rates = Rates(principal=config.rate, address=config.address_rate)
    return Entrance(rooms=rooms, verifier=verifier, rates=rates, metrics=Metrics())


@asynccontextmanager
async def open_database(dsn: str) -> AsyncIterator[Database]:
    """The database of a DSN, as the application. NotMigrated unless it has our schema."""
    async with Database(dsn) as database:
        try:
            missing = await pending(database, SCHEMA)
        except asyncpg.InvalidPasswordError:
            raise
        except NO_ROLE as error:
            reason = str(error).partition("\n")[0]  # without the details
            raise NotMigrated(f"the application cannot sign in: {reason}") from error
        if missing:
            raise NotMigrated(f"it lacks {', '.join(missing)}")
        yield database


@asynccontextmanager
async def open_rooms(dsn: str) -> AsyncIterator[Rooms]:
    """Everything below the edge, running."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(dsn))
        log = Log(database)
        standings = Standings(log, database)
        principals = Principals(database)
        doorbell = Doorbell(database, principals.forget)
        await stack.enter_async_context(doorbell.running())
        await stack.enter_async_context(standings.following(doorbell))
        projector = Projector(database, standings.since)
        await stack.enter_async_context(projector.running())
        appender = Appender(database, standings, doorbell.ring)
        await stack.enter_async_context(appender.running())
        attempts = await stack.enter_async_context(Attempts(database).running())
        yield Rooms(
            database=database,
            log=log,
            appender=appender,
            standings=standings,
            principals=principals,
            projector=projector,
            attempts=attempts,
        )
