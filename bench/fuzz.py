"""The soak's `fuzz`: what tests/fuzzing.py makes up, again and again, against a running server.

Law: after every case the log is as it was; at the end the server has told no error, has not grown,
and still answers. What fails is told with its seed.
"""

import asyncio
import os
from asyncio import run_coroutine_threadsafe
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from secrets import randbelow

from hypothesis import HealthCheck, given, seed, settings

from bench.edge import ADA, GRANT, REGISTER
from bench.ground import fresh_folder, fresh_postgres
from bench.memory import BLOCKS, growth
from bench.servers import VIEWER, answered, question, serving
from bench.wire import https
from eventstore.database import Database
from eventstore.log import Log

CASES = 20_000
KEY = "contoso"
WORKER = "worker@contoso.example"


async def fuzz(cases: int) -> dict[str, object]:
    made, loop = import_module("tests.fuzzing"), asyncio.get_running_loop()
    chosen, done, resident = randbelow(2**32), count(1), list[float]()
    async with AsyncExitStack() as stack:
        data, postgres = stack.enter_context(fresh_folder()), stack.enter_context(fresh_postgres())
        told = data / "told"
        with _telling(told):
            ours = await stack.enter_async_context(serving(data, postgres))
        token, paula = ours.token(WORKER), ours.token("paula", platform=True)
        async with https(ours.port, 1) as (one,):
            register = question(REGISTER, paula, key=KEY, ada=ADA)
            await answered(one, register, b"EnvironmentChanged")
            grant = question(GRANT, ours.token(ADA), key=KEY, principal=WORKER)
            await answered(one, grant, b"EnvironmentChanged")
        log = Log(await stack.enter_async_context(Database(postgres.dsn)))
        heads = await log.heads()

        @seed(chosen)
        @settings(
            max_examples=cases,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=made.cases)
        def harmless(case: object) -> None:
            made.exchange(ours.port, token, case)
            assert run_coroutine_threadsafe(log.heads(), loop).result() == heads
            if next(done) % (cases // BLOCKS) == 0:
                resident.append(ours.resident)

        try:
            await asyncio.to_thread(harmless)
        except Exception as error:
            error.add_note(f"This was made by the seed {chosen}.")
            raise
        async with https(ours.port, 1) as (bystander,):
            await answered(bystander, question(VIEWER, token))
        lines = told.read_text(errors="replace").splitlines()
    errors = [line for line in lines if "ERROR" in line or "Traceback" in line]
    figures = growth(resident)
    return {
        "cases": cases,
        "seed": chosen,
        "errors_told": len(errors),
        "first_error_told": next(iter(errors), None),
        **figures,
        "goal": f"{figures['goal']}, errors_told == 0",
        "met": figures["met"] and not errors,
    }


@contextmanager
def _telling(place: Path) -> Iterator[None]:
    """What is started meanwhile tells its errors there."""
    ours = os.dup(2)
    with place.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)
