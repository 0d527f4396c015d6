"""The wildcards of the product: `%`, `_`, `[…]` and `[^…]`, as its database has them.

Law: no pattern takes long on any text.
"""

import re


def pattern(text: str) -> re.Pattern[str]:
    """A pattern with the product's wildcards `%`, `_`, `[…]` and `[^…]`, whatever the case.

    Each part between `%` is found at its first place and never looked for again, so that no text
    takes long.
    """
    parts = [_part(part) for part in re.split(r"%+", _brackets_kept(text))]
    first, *rest = parts
    if not rest:
        return re.compile(first, re.IGNORECASE | re.DOTALL)
    *middle, last = rest
    between = "".join(f"(?>.*?{part})" for part in middle)
    return re.compile(f"{first}{between}.*{last}", re.IGNORECASE | re.DOTALL)


def _brackets_kept(text: str) -> str:
    """A `%` in brackets is a character like any other."""
    return re.sub(r"\[[^\]]*\]", lambda found: found[0].replace("%", "\0"), text)


def _part(text: str) -> str:
    pieces = re.findall(r"\[\^?[^\]]+\]|.", text, re.DOTALL)
    return "".join(map(_piece, pieces))


def _piece(piece: str) -> str:
    if piece == "_":
        return "."
    if len(piece) == 1:
        return re.escape(piece)
    inside = piece[1:-1].replace("\0", "%")
    negated = inside.startswith("^") and len(inside) > 1
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside[negated:]).replace("--", r"\--")
    found = f"[{'^' if negated else ''}{escaped}]"
    try:
        re.compile(found)
    except re.error:  # a range that ends before it begins
        return "(?!)"
    return found
