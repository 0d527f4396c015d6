import logging

import pytest
from eavesdropping import EAR


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("the token eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2ln was refused", ()),
        ("the header was %s", ("Bearer abcdef",)),
        ("headers %s", ({"authorization": "Basic YWRhOnB3"},)),
        ("connecting to %s", ("postgresql://app:s3cret@database/syncledger",)),
        ("with password=%s", ("s3cret",)),
    ],
)
def test_a_secret_in_the_log_is_heard(message: str, arguments: tuple[object, ...]) -> None:
    logging.getLogger("api.anything").debug(message, *arguments)
    assert len(EAR.take()) == 1


def test_a_secret_in_a_traceback_or_a_field_is_heard() -> None:
    logger = logging.getLogger("uvicorn.error")
    logger.error("it failed", exc_info=ValueError("Bearer abcdef"))
    logger.warning("it failed", extra={"header": "Bearer abcdef"})
    assert len(EAR.take()) == 2


def test_what_a_client_library_says_is_its_own() -> None:
    before = EAR.heard
    logging.getLogger("websockets.client").warning("Bearer abcdef")
    logging.getLogger("api.anything").debug("nothing of interest")
    assert (EAR.take(), EAR.heard) == ([], before + 1)
