"""How fast a client may ask: a bucket for each principal, and one for each address.

Law: what is asked for is paid before it is done; who has nothing left is told when to come again;
the buckets are bounded in number, the one longest unused forgotten first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from throttled import RateLimiterType, RateLimitResult, Throttled, rate_limiter
from throttled.store import MemoryStore

from api.errors import ErrorCode, Problem

PRINCIPAL = "principal"
SECONDS_AT_ONCE = 10
"""What may be spent at once, in seconds of the rate."""
MOST_BUCKETS = 100_000
NETWORK = 64
"""Bits of an IPv6 address that one customer has."""


class RateLimited(Exception):
    """Nothing is left for now. `seconds`: until there is."""

    def __init__(self, who: str, seconds: int, headers: Mapping[str, str]) -> None:
        message = f"This {who} asks too fast. Come again in {seconds} s."
        super().__init__(message)
        self.seconds = seconds
        self.problem = Problem(ErrorCode.RATE_LIMITED, message, retryAfter=seconds)
        self.headers = {**headers, "Retry-After": str(seconds)}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left in a bucket after something was paid from it."""

    maximum: int
    remaining: int
    restored_per_second: int
    seconds_to_full: int

    @property
    def headers(self) -> Mapping[str, str]:
        """By draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"{PRINCIPAL}";q={self.maximum};w={SECONDS_AT_ONCE}',
            "RateLimit": f'"{PRINCIPAL}";r={self.remaining};t={self.seconds_to_full}',
        }


def cost(points: int, left: Allowance | None) -> dict[str, int]:
    """What an answer tells of its cost; what is left only where it is counted."""
    if left is None:
        return {"requested": points}
    return {
        "requested": points,
        "available": left.remaining,
        "maximum": left.maximum,
        "restoredPerSecond": left.restored_per_second,
    }


class _Buckets:
    def __init__(self, who: str, rate: int) -> None:
        self._who = who
        self._rate = rate
        self._throttled = Throttled(
            using=RateLimiterType.GCRA.value,
            quota=rate_limiter.per_sec(rate, burst=rate * SECONDS_AT_ONCE),
            store=MemoryStore(options={"MAX_SIZE": MOST_BUCKETS}),
        )

    def pay(self, key: str, points: int) -> Allowance:
        if points > self._rate * SECONDS_AT_ONCE:
            raise Problem(
                ErrorCode.TOO_COSTLY,
                f"This costs {points} points; a {self._who} has at most "
                f"{self._rate * SECONDS_AT_ONCE} at once. Ask for less.",
            )
        result = self._throttled.limit(key, cost=points)
        left = self._left(result)
        if result.limited:
            headers = left.headers if self._who == PRINCIPAL else {}
            raise RateLimited(self._who, max(1, ceil(result.state.retry_after)), headers)
        return left

    def charge(self, key: str, points: int) -> Allowance:
        """Take what is there, at most so much."""
        result = self._throttled.limit(key, cost=points)
        if result.limited and result.state.remaining:
            result = self._throttled.limit(key, cost=result.state.remaining)
        return self._left(result)

    def _left(self, result: RateLimitResult) -> Allowance:
        state = result.state
        return Allowance(state.limit, state.remaining, self._rate, ceil(state.reset_after))


class Rates:
    """`principal`: points a second; `address`: requests and connections a second. 0: any number."""

    def __init__(self, principal: int = 0, address: int = 0) -> None:
        self._principals = _Buckets(PRINCIPAL, principal) if principal else None
        self._addresses = _Buckets("address", address) if address else None

    def principal(self, subject: str, points: int) -> Allowance | None:
        """Pay, or RateLimited, or TOO_COSTLY for more than ever fits. None: nothing is counted."""
        return None if self._principals is None else self._principals.pay(subject, points)

    def charge(self, subject: str, points: int) -> Allowance | None:
        """Pay for what was only known afterwards, as far as there is anything left."""
        return None if self._principals is None else self._principals.charge(subject, points)

    def address(self, host: str | None) -> None:
        """Pay for a request before anything is known of who sends it, or RateLimited."""
        if self._addresses is not None:
            self._addresses.pay(_network(host or "a socket"), 1)


def _network(host: str) -> str:
    """An address as its owner's: the network of an IPv6 address, others as they are."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, NETWORK), strict=False))
