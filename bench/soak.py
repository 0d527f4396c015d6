"""`python -m bench.soak [PART …]`: what only long work shows, one JSON line for each part.

Law: bounded in time and memory, every process ended; exit status 1 when a goal was missed.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter

import uvloop

from bench.edge import CONNECTIONS
from bench.fuzz import CASES, fuzz
from bench.measure import MACHINE
from bench.memory import BLOCKS, QUERIES, SUBSCRIPTIONS, memory
from bench.sockets import DEAF, sockets

type Part = Callable[[argparse.Namespace], Awaitable[dict[str, object]]]

PARTS: Mapping[str, Part] = {
    "memory": lambda asked: memory(asked.queries, asked.subscriptions),
    "fuzz": lambda asked: fuzz(asked.cases),
    "sockets": lambda asked: sockets(asked.deaf),
}


async def _run(names: list[str], asked: argparse.Namespace) -> bool:
    met = True
    for name in names:
        begin = perf_counter()
        told = await PARTS[name](asked)
        seconds = round(perf_counter() - begin)
        print(
            json.dumps({"name": f"soak, {name}", **told, "seconds": seconds, **MACHINE}), flush=True
        )
        met = met and bool(told["met"])
    return met


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("parts", metavar="PART", nargs="*", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--subscriptions", type=int, default=SUBSCRIPTIONS)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--deaf", type=int, default=DEAF)
    asked = parser.parse_args()
    unknown = [name for name in asked.parts if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    least = BLOCKS * CONNECTIONS
    if asked.queries < least or min(asked.subscriptions, asked.cases) < BLOCKS:
        parser.error(f"ask for at least {least} queries, {BLOCKS} subscriptions and as many cases")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(0 if runner.run(_run(asked.parts or list(PARTS), asked)) else 1)


main()
