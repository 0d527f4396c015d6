"""What the fuzzer sends over HTTP and over sockets, and what is so of every answer to it.

Law: a case is plain data with a place for a token, and is sent over a connection of its own; whose
token it is may change nothing.
"""

import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import chain
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from api.errors import ErrorCode

TOKEN = "<token>"
PATIENCE = 10.0
END = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue" + END
LAST = {"type": "subscribe", "id": "last", "payload": {"query": "{ __typename }"}}
ANSWERED = {"type": "complete", "id": "last"}
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FINAL, MASKED = 0x80, 0x80
CLOSES = {1000, 1002, 1003, 1007, 1009, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429}
CODES = set(ErrorCode) - {ErrorCode.INTERNAL_SERVER_ERROR, ErrorCode.SERVICE_UNAVAILABLE}

FEED = "settingsFeed(environmentKey: $key, after: $after)"
MOVED = "(input: {environmentKey: $key}) { __typename }"
DOCUMENTS = [
    "{ viewer { platformAdministrator principal { id name } } }",
    "query Named($key: String!) { environment(key: $key) { key position members { roles } } }",
    "query ($first: Int, $key: String) { environments(first: $first, after: $key) { totalCount } }",
    "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
    'query ($at: PointInTime) { environment(key: "contoso") { settings(at: $at) { asOf } } }',
    "query A { __typename } query Named { __schema { queryType { name } } }",
    f"subscription ($key: String!, $after: Int) {{ {FEED} {{ __typename position }} }}",
    f"subscription ($key: String!, $after: Int) {{ {FEED} {{ __typename position }} }} # again",
    f"mutation ($key: String!) {{ archiveEnvironment{MOVED} }}",
    f"mutation Named($key: String!) {{ restoreEnvironment{MOVED} }}",
    "{ viewer",
    "{ nobody }",
]
TARGETS = [
    *("/", "/nowhere", "/graphql/", "//", "*", "/%2e%2e/%2e%2e/x", "/graphql?query={__typename}"),
    *(
        f"/graphql?query={query}"
        for query in (
            *("%7B__typename%7D", "%7B__typename%7D&variables=%7B", "%7B__typename%7D&query=x"),
            *("%7B__typename%7D&extensions=[]", "%ff&query=%00", "", "mutation%7B__typename%7D"),
            "subscription%7BsettingsFeed(environmentKey:%22contoso%22)%7Bposition%7D%7D",
        )
    ),
]
TYPES = (
    "application/json; charset=utf-8|application/json;charset=utf-16|text/plain|multipart/form-data"
    '|application/graphql|a/b/c|;||application/json; charset="'
)
ACCEPTED = (
    "*/*|application/json|application/graphql-response+json|text/event-stream|text/html|*|,;,|a/b/c"
    "|text/event-stream|text/event-stream, application/json;q=0.5|application/json;q=0|a/*;q=x"
)
BEARERS = f"bearer {TOKEN}|Bearer|Bearer  |Basic YTpi|Bearer a.b.c|{TOKEN}|Bearer {TOKEN}x"
OTHERS = {
    "Last-Event-ID": "0|1|-1|1.5|99999999999999999999999|x",
    "traceparent": f"00-{'a' * 32}-{'b' * 16}-01|00-{'0' * 32}-{'0' * 16}-00|00-a-b-01|-",
    "Content-Encoding": "gzip|identity|br, gzip",
    "Transfer-Encoding": "chunked|gzip",
    "Expect": "100-continue|x",
    "Origin": "null|http://evil.example",
    "X-Forwarded-For": "127.0.0.1|::1, x",
}
SPOILING = [
    *(b"\0", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\\ud800", b"\\u0000"),
    *(b"NaN", b"1e999", b"-", b"9" * 400, b'"', b"\\", b"/**/", b"}", b"[" * 2_000, b"{}"),
    *(b'{"query":"{__typename}","query":null,', b'"type":"ping","type":"complete",'),
]
HUGE = [2**31, -(2**63), 10**400, "\0", "\ufeff", "", "x" * 5_000]


class Request(NamedTuple):
    """`lie`: what is added to the length of the body when it is told; None: it is not told."""

    method: str
    target: str
    headers: Mapping[str, bytes]
    body: bytes
    lie: int | None


class Frame(NamedTuple):
    """`first`: the byte with the kind, whether it ends its message, and the reserved bits."""

    first: int
    payload: bytes
    masked: bool = True


class Conversation(NamedTuple):
    """`kept`: bytes at the end that are not sent before the client hangs up; None: it stays."""

    protocol: str
    frames: list[Frame]
    kept: int | None


def mostly[T](good: SearchStrategy[T], odd: SearchStrategy[T]) -> SearchStrategy[T]:
    """Nine times in ten; `one_of` would take its branches apart."""
    return st.sampled_from([*[good] * 9, odd]).flatmap(lambda chosen: chosen)


texts = st.text(st.characters(), max_size=20)  # with surrogates
plain = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(HUGE)
junk = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def shaped(**members: SearchStrategy[object]) -> SearchStrategy[object]:
    """An object with these, each mostly good; now and then with some of them, or anything else."""
    whole = st.fixed_dictionaries({name: mostly(good, junk) for name, good in members.items()})
    return mostly(whole, junk | st.fixed_dictionaries({}, optional=members))


parameters = shaped(
    query=st.sampled_from(DOCUMENTS),
    variables=shaped(
        key=st.just("contoso"),
        first=st.integers(0, 300),
        after=st.integers(0, 5),
        ids=st.lists(st.just("x"), max_size=3),
        at=st.just({"position": 1}),
    ),
    operationName=mostly(st.none(), st.just("Named")),
    extensions=st.none(),
)


@st.composite
def written(draw: DrawFn, values: SearchStrategy[object]) -> bytes:
    """As JSON; now and then cut off, or with something put into it or over it."""
    as_ascii = draw(st.booleans())
    text = json.dumps(draw(values), ensure_ascii=as_ascii).encode(errors="surrogatepass")
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 0, 1, 2]))):
        at, piece = draw(st.integers(0, len(text))), draw(st.sampled_from(SPOILING))
        over = draw(st.sampled_from([0, len(piece)]))
        text = draw(st.sampled_from([text[:at], text[:at] + piece + text[at + over :]]))
    return text


def header(good: str, others: str) -> SearchStrategy[bytes]:
    """`others`, apart by bars; or anything, as long as it ends no line."""
    odd = st.binary(max_size=30).map(lambda text: text.translate(None, b"\r\n"))
    words = mostly(st.sampled_from(others.split("|")), st.text("\t !~é\xff", max_size=5))
    usual = mostly(st.just(good), words) if good else words
    return mostly(usual.map(lambda word: word.encode("latin-1")), odd)


others = st.one_of(*(st.tuples(st.just(name), header("", words)) for name, words in OTHERS.items()))
requests = st.builds(
    Request,
    mostly(st.just("POST"), st.sampled_from(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "X"])),
    mostly(st.just("/graphql"), st.sampled_from(TARGETS)),
    st.builds(
        lambda bearer, kind, accepted, more: {
            "Authorization": bearer,
            "Content-Type": kind,
            "Accept": accepted,
            **dict(more),
        },
        header(f"Bearer {TOKEN}", BEARERS),
        header("application/json", TYPES),
        header("", ACCEPTED),
        st.lists(others, max_size=2),
    ),
    written(parameters),
    mostly(st.just(0), st.sampled_from([-1, 5, None])),
)

ids = st.sampled_from("12")
authorization = shaped(authorization=st.just(f"Bearer {TOKEN}"))
subscribes = shaped(type=st.just("subscribe"), id=ids, payload=parameters)
messages = st.one_of(
    *[subscribes] * 3,
    shaped(type=st.just("complete"), id=ids),
    shaped(type=st.sampled_from(["ping", "pong"]), payload=st.just({})),
    shaped(type=st.just("connection_init"), payload=authorization),
)
greeting = {"type": "connection_init", "payload": {"authorization": f"Bearer {TOKEN}"}}
usual_frames = st.sampled_from(
    [
        *(Frame(FINAL | PING, b"x" * size) for size in (0, 125, 126)),
        *(Frame(FINAL | CLOSE, code) for code in (b"", b"\x03\xe8", b"\x03\xed", b"\x00")),
        *(Frame(FINAL | TEXT, text) for text in (b"x" * 300_000, b"[" * 100_000, b"\xff")),
        *(Frame(FINAL | PONG, b"unasked"), Frame(FINAL | BINARY, b"{}"), Frame(FINAL, b"")),
    ]
)
odd_frames = st.builds(Frame, st.integers(0, 255), st.binary(max_size=130), st.booleans())
whole = written(messages).map(lambda text: [Frame(FINAL | TEXT, text)])
pieces = written(messages).map(
    lambda text: [Frame(TEXT, text[:9]), Frame(FINAL | PING, b""), Frame(FINAL, text[9:])]
)
alone = (usual_frames | odd_frames).map(lambda frame: [frame])
greeted = mostly(st.just([Frame(FINAL | TEXT, json.dumps(greeting).encode())]), st.just([]))
conversations = st.builds(
    Conversation,
    mostly(st.just("graphql-transport-ws"), st.just("graphql-ws")),
    st.builds(
        lambda first, others: [*first, *chain(*others)],
        greeted,
        st.lists(mostly(whole, pieces | alone), max_size=6),
    ),
    mostly(st.none(), st.sampled_from([0, 1, 5])),
)
cases: SearchStrategy[Request | Conversation] = requests | conversations


def exchange(port: int, token: str, case: Request | Conversation) -> None:
    """Send it to this machine, and fail where the answer is not as every answer is."""
    with closing(socket.create_connection(("127.0.0.1", port), PATIENCE)) as client:
        if isinstance(case, Request):
            _ask(client, token, case)
        else:
            _converse(client, token, case)


def _ask(client: socket.socket, token: str, request: Request) -> None:
    body = _filled(request.body, token)
    headers = {name: _filled(value, token) for name, value in request.headers.items()}
    if request.lie is not None:
        headers["Content-Length"] = b"%d" % max(0, len(body) + request.lie)
    line = f"{request.method} {request.target} HTTP/1.1"
    _send(client, _headed(line, {"Connection": b"close", **headers}) + body)
    if request.lie:
        client.shutdown(socket.SHUT_WR)
    answer = b""
    for received in _received(client):
        answer += received
        if b"text/event-stream" in answer and b"data: " in answer:
            break
    head, _, content = answer.removeprefix(CONTINUE).partition(END)
    if head:
        _check_answer(head, content)
    else:
        assert request.lie, "The server hung up without an answer."


def _check_answer(head: bytes, content: bytes) -> None:
    status = int(head[9:12])
    assert 200 <= status < 500, head + content
    if b"text/event-stream" in head:
        told = [line[6:] for line in content.split(b"\n")[:-1] if line.startswith(b"data: ")]
    elif b"json" in head:
        told = [content] if content else []  # the answer to a HEAD has none
    else:
        assert not content or b"text/html" in head or status == 400, head + content
        told = []
    for each in told:
        _check(json.loads(each))


def _check(answer: Mapping[str, object]) -> None:
    assert answer.keys() <= {"data", "errors", "extensions"}, answer
    assert answer.keys() & {"data", "errors"}, answer
    _check_errors(answer.get("errors", []))


def _check_errors(errors: object) -> None:
    assert isinstance(errors, list), errors
    for error in errors:
        assert error["message"], error
        assert error["extensions"]["code"] in CODES, error


def _converse(client: socket.socket, token: str, conversation: Conversation) -> None:
    asked = {
        "Upgrade": b"websocket",
        "Connection": b"Upgrade",
        "Sec-WebSocket-Key": b"dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": b"13",
        "Sec-WebSocket-Protocol": conversation.protocol.encode(),
    }
    _send(client, _headed("GET /graphql HTTP/1.1", asked))
    received, heard = _received(client), b""
    while END not in heard:
        heard += next(received)
    said = b"".join(_encoded(frame, token) for frame in conversation.frames)
    if conversation.kept is not None:
        _send(client, said[: len(said) - conversation.kept])
        return
    _send(client, said + _encoded(Frame(FINAL | TEXT, json.dumps(LAST).encode()), token))
    closes = {frame.payload[:2] for frame in conversation.frames if frame.first & 15 == CLOSE}
    for kind, payload in _frames(chain([heard.partition(END)[2]], received)):
        if kind == TEXT:
            message = json.loads(payload)
            _check_message(message)
            if message == ANSWERED:
                return
        elif kind == CLOSE:
            assert payload[:2] in closes or int.from_bytes(payload[:2]) in CLOSES, payload
            return
    raise AssertionError("The server hung up without a close.")


def _check_message(message: Mapping[str, object]) -> None:
    payload = message.get("payload")
    match message["type"]:
        case "next":
            assert isinstance(payload, dict), message
            _check(payload)
        case "error":
            _check_errors(payload)
        case other:
            assert other in {"connection_ack", "complete", "pong"}, message


def _filled(text: bytes, token: str) -> bytes:
    return text.replace(TOKEN.encode(), token.encode())


def _headed(line: str, headers: Mapping[str, bytes]) -> bytes:
    lines = [line.encode(), b"Host: localhost"]
    lines += [name.encode() + b": " + value for name, value in headers.items()]
    return b"\r\n".join([*lines, b"", b""])


def _encoded(frame: Frame, token: str) -> bytes:
    """A mask of zeros leaves the bytes as they are."""
    payload = _filled(frame.payload, token)
    size, mask = len(payload), MASKED if frame.masked else 0
    if size < 126:
        length = bytes([mask | size])
    elif size < 65_536:
        length = bytes([mask | 126]) + size.to_bytes(2)
    else:
        length = bytes([mask | 127]) + size.to_bytes(8)
    return bytes([frame.first]) + length + bytes(4 if frame.masked else 0) + payload


def _send(client: socket.socket, text: bytes) -> None:
    with suppress(ConnectionError):  # the server may have heard enough
        client.sendall(text)


def _received(client: socket.socket) -> Iterator[bytes]:
    with suppress(ConnectionError):
        while received := client.recv(65_536):
            yield received


def _frames(received: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The kinds and payloads of a server's frames, which are whole messages."""
    heard = b""
    for more in received:
        heard += more
        while len(heard) >= 2:
            start = {126: 4, 127: 10}.get(heard[1], 2)
            end = start + (heard[1] if start == 2 else int.from_bytes(heard[2:start]))
            if len(heard) < max(start, end):
                break
            yield heard[0] & 15, heard[start:end]
            heard = heard[end:]
