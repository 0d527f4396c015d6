"""`python -m bench [NAME …]`: the workloads, one JSON line for each figure.

Law: bounded in time and memory, loopback and Unix sockets only, every process ended.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import uvloop

from bench.append import append
from bench.decisions import decisions
from bench.edge import feed, mutate, read
from bench.export import export
from bench.fetchxml import fetchxml
from bench.hostile import hostile
from bench.match import match
from bench.measure import Figure, Options
from bench.past import asof, history
from bench.start import start
from bench.store import rebuild, verify

type Workload = Callable[[Options], AsyncIterator[Figure]]

WORKLOADS: Mapping[str, Workload] = {
    "append": append,
    "mutate": mutate,
    "read": read,
    "feed": feed,
    "history": history,
    "asof": asof,
    "export": export,
    "rebuild": rebuild,
    "verify": verify,
    "match": match,
    "decisions": decisions,
    "fetchxml": fetchxml,
    "hostile": hostile,
    "start": start,
}


async def _run(names: list[str], options: Options) -> None:
    for name in names:
        async for figure in WORKLOADS[name](options):
            print(figure.line(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a round lasts")
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds count")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in WORKLOADS]
    if unknown:
        parser.error(f"there is no workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(asked.names or list(WORKLOADS), Options(asked.seconds, asked.rounds)))


main()
