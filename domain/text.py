"""What text may enter the log: the one check of length and characters.

Law: nothing is stored that Postgres or UTF-8 cannot give back unchanged.
"""


def checked_text(text: str, what: str, shortest: int, longest: int) -> str:
    """The text itself. ValueError if its length or one of its characters cannot be stored.

    `what` opens the message ("An environment's name"); lengths are counted in code points.
    """
    if not shortest <= len(text) <= longest:
        raise ValueError(f"{what} has {shortest} to {longest} characters, not {len(text)}.")
    for character in text:
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise ValueError(f"{what} cannot contain U+{ord(character):04X}.")
    return text
