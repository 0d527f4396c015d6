import asyncio
import hashlib
import hmac
import json
import os
import stat
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from api.identity import Identity, KeysUnavailable, NotAuthenticated, Verifier
from api.key_sets import AddressKeys, FileKeys, FixedKeys, Keys, keys_at
from app.issuer import AUDIENCE, ISSUER, Issuer, UnusableKey

OURS = ed25519.Ed25519PrivateKey.generate()
FOREIGN = ed25519.Ed25519PrivateKey.generate()
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose

type Jwks = dict[str, list[dict[str, object]]]


def jwks(**keys: ed25519.Ed25519PrivateKey) -> Jwks:
    return {
        "keys": [
            {**OKPAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id}
            for key_id, key in keys.items()
        ]
    }


def key_set() -> Jwks:
    elliptic = ECAlgorithm.to_jwk(ELLIPTIC.public_key(), as_dict=True)
    weak = RSAAlgorithm.to_jwk(WEAK.public_key(), as_dict=True)
    for_encryption = OKPAlgorithm.to_jwk(OURS.public_key(), as_dict=True) | {"use": "enc"}
    extra = {"elliptic": elliptic, "weak": weak, "for-encryption": for_encryption}
    named = [{**key, "kid": key_id} for key_id, key in extra.items()]
    return {"keys": [*jwks(ours=OURS)["keys"], *named]}


def claims(**changed: object) -> dict[str, object]:
    """Good claims, some replaced; None takes one away."""
    usual = {"iss": "provider", "aud": "syncledger", "sub": "ada", "exp": int(time()) + 3600}
    return {name: value for name, value in (usual | changed).items() if value is not None}


def signed(
    key: ed25519.Ed25519PrivateKey = OURS, key_id: str | None = "ours", **changed: object
) -> str:
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(claims(**changed), key, algorithm="EdDSA", headers=headers)


def by_hand(header: object, secret: bytes | None = None) -> str:
    """Make what no library wants to make: unsigned, or signed with a public key as the secret."""
    parts = [json.dumps(part).encode() for part in (header, claims())]
    text = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    seal = b"" if secret is None else hmac.digest(secret, text, hashlib.sha256)
    return (text + b"." + urlsafe_b64encode(seal).rstrip(b"=")).decode()


class CountedKeys:
    """A key set that counts how often it was asked, once for every signature checked."""

    def __init__(self, keys: Jwks) -> None:
        self._keys = FixedKeys(keys)
        self.asked = 0

    async def ready(self) -> None:
        await self._keys.ready()

    async def key(self, key_id: str) -> jwt.PyJWK:
        self.asked += 1
        return await self._keys.key(key_id)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("api.identity.monotonic", clock)
    monkeypatch.setattr("api.key_sets.monotonic", clock)
    return clock


def verifier(keys: Keys | None = None) -> Verifier:
    keys = keys or FixedKeys(key_set())
    return Verifier(issuer="provider", audience="syncledger", keys=keys)


async def refusal(authorization: str | None, keys: Keys | None = None) -> str:
    with pytest.raises(NotAuthenticated) as refused:
        await verifier(keys).identify(authorization)
    return str(refused.value)


async def test_a_good_token_says_who_is_asking() -> None:
    expires_at = int(time()) + 60
    token = signed(name="Ada Lovelace", platform_administrator=True, exp=expires_at)
    assert await verifier().identify(f"Bearer {token}") == Identity(
        subject="ada",
        name="Ada Lovelace",
        platform_administrator=True,
        expires_at=float(expires_at),
    )


@pytest.mark.parametrize("name", [None, ""])
async def test_name_and_administration_may_be_left_out(name: str | None) -> None:
    identity = await verifier().identify(f"bEARER  {signed(name=name)} ")
    assert identity.name is None
    assert identity.platform_administrator is False


async def test_other_asymmetric_algorithms_and_one_audience_of_several_will_do() -> None:
    many = claims(aud=["other", "syncledger"], iat=int(time()) + 30)
    token = jwt.encode(many, ELLIPTIC, algorithm="ES256", headers={"kid": "elliptic"})
    assert (await verifier().identify(f"Bearer {token}")).subject == "ada"


NO_TOKEN = "There is no bearer token: send Authorization: Bearer <token>."


NO_BEARER_TOKENS = {
    "nothing": (None, NO_TOKEN),
    "empty": ("", NO_TOKEN),
    "no token": ("Bearer ", NO_TOKEN),
    "no scheme": ("secret", NO_TOKEN),
    "not Bearer": (
        "Basic secret",
        "The scheme is not Bearer: send Authorization: Bearer <token>.",
    ),
    "too long": (
        f"Bearer {'a' * 8193}",
        "The token has 8193 characters; at most 8192 are accepted.",
    ),
    "not ASCII": (
        "Bearer secr\ud800t",
        "The token is not a JSON Web Token: it is not ASCII.",
    ),
    "one part": ("Bearer secret", "The token is not a JSON Web Token: Not enough segments."),
    "garbage": ("Bearer secret.se.cret", "The token is not a JSON Web Token: Invalid header "),
    "a list": (f"Bearer {by_hand([])}", "The token is not a JSON Web Token: Invalid header "),
}


@pytest.mark.parametrize(
    ("authorization", "message"), NO_BEARER_TOKENS.values(), ids=NO_BEARER_TOKENS
)
async def test_what_is_no_bearer_token_is_refused(authorization: str | None, message: str) -> None:
    refused = await refusal(authorization)
    assert refused.startswith(message)
    assert "secret" not in refused


ACCEPTED = "accepted: EdDSA, ES256, ES384, RS256, PS256."
CONTROL = "it must be a text of 1 to 255 characters without control characters."


NOT_YET = "The token is not valid yet (nbf): use it later, or correct the clocks."
MISFIT = "Token algorithm 'ES256' does not match the key's algorithm 'EdDSA'"
PUBLIC = OURS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

ELSEWHERE = (
    "is not in the key set: it was made elsewhere, or with another data folder. Take one that was "
    "made for this service."
)
BAD_TOKENS = {
    "foreign key": (signed(FOREIGN), "The token was not signed with its key 'ours'."),
    "foreign issuer": (signed(iss="elsewhere"), "The token's issuer must be 'provider'."),
    "no issuer": (signed(iss=None), "The token lacks the claim iss."),
    "wrong audience": (signed(aud="elsewhere"), "The token's audience must be 'syncledger'."),
    "no audience": (signed(aud=None), "The token lacks the claim aud."),
    "no subject": (signed(sub=None), "The token lacks the claim sub."),
    "no expiry": (signed(exp=None), "The token lacks the claim exp."),
    "expired": (signed(exp=1), "The token has expired: get a new one."),
    "not yet valid": (signed(nbf=int(time()) + 3600), NOT_YET),
    "unsigned": (
        by_hand({"alg": "none", "kid": "ours"}),
        f"The token's algorithm is 'none'; {ACCEPTED}",
    ),
    "public key as a secret": (
        by_hand({"alg": "HS256", "kid": "ours"}, PUBLIC),
        f"The token's algorithm is 'HS256'; {ACCEPTED}",
    ),
    "algorithm of another type": (
        by_hand({"alg": ["EdDSA"]}),
        f"The token's algorithm is ['EdDSA']; {ACCEPTED}",
    ),
    "algorithm of another key": (
        jwt.encode(claims(), ELLIPTIC, algorithm="ES256", headers={"kid": "ours"}),
        f"The token is refused: {MISFIT}.",
    ),
    "no key": (signed(key_id=None), "The token's header must name its key (kid)."),
    "empty key": (signed(key_id=""), "The token's header must name its key (kid)."),
    "key of another type": (
        by_hand({"alg": "EdDSA", "kid": 1}),
        "The token is not a JSON Web Token: Key ID header parameter must be a string.",
    ),
    "unknown key": (
        signed(key_id="lost"),
        f"The token's key 'lost' {ELSEWHERE}",
    ),
    "key for encryption": (
        signed(key_id="for-encryption"),
        f"The token's key 'for-encryption' {ELSEWHERE}",
    ),
    "NUL in the subject": (signed(sub="a\0da"), rf"The claim sub is 'a\x00da'; {CONTROL}"),
    "new line in the subject": (signed(sub="a\nda"), rf"The claim sub is 'a\nda'; {CONTROL}"),
    "lone surrogate": (signed(sub="\ud800"), rf"The claim sub is '\ud800'; {CONTROL}"),
    "empty subject": (signed(sub=""), f"The claim sub is ''; {CONTROL}"),
    "long subject": (signed(sub="a" * 256), f"The claim sub is '{'a' * 79}; {CONTROL}"),
    "number as a subject": (signed(sub=7), "The token is refused: Subject must be a string."),
    "text as an expiry": (
        signed(exp="tomorrow"),
        "The claim exp is 'tomorrow'; it must be unix seconds.",
    ),
    "expiry that is no number": (
        signed(exp=float("nan")),
        "The claim exp is nan; it must be unix seconds.",
    ),
    "no end": (signed(exp=float("inf")), "The claim exp is inf; it must be unix seconds."),
    "no end in sight": (
        signed(exp=10**60),
        f"The claim exp is {10**60}; it must be unix seconds.",
    ),
    "number as a name": (signed(name=7), "The claim name is 7; it must be a text of 1 to 200 "),
    "long name": (signed(name="a" * 201), "The claim name is 'aaa"),
    "text as a boolean": (
        signed(platform_administrator="true"),
        "The claim platform_administrator is 'true'; it must be a boolean.",
    ),
    "number as a boolean": (
        signed(platform_administrator=1),
        "The claim platform_administrator is 1; it must be a boolean.",
    ),
}


@pytest.mark.parametrize(("token", "message"), BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_a_bad_token_is_refused_and_told_why(token: str, message: str) -> None:
    refused = await refusal(f"Bearer {token}")
    assert refused.startswith(message)
    assert token not in refused


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_short_key_is_refused() -> None:
    token = jwt.encode(claims(), WEAK, algorithm="RS256", headers={"kid": "weak"})
    assert "is 1024 bits long, which is below the minimum" in await refusal(f"Bearer {token}")


async def test_the_longest_subject_will_do() -> None:
    identity = await verifier().identify(f"Bearer {signed(sub='ä' * 255)}")
    assert identity.subject == "ä" * 255


@pytest.mark.parametrize("algorithm", ["HS256", "none", "NONE", "eddsa"])
def test_a_shared_secret_or_no_signature_can_never_be_configured(algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"'{algorithm}' is not among the accepted algorithms"):
        Verifier(
            issuer="i", audience="a", algorithms=("EdDSA", algorithm), keys=FixedKeys(key_set())
        )


def test_no_algorithm_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="name at least one of the accepted algorithms: EdDSA"):
        Verifier(issuer="i", audience="a", algorithms=(), keys=FixedKeys(key_set()))


async def test_an_algorithm_left_out_is_not_accepted() -> None:
    strict = Verifier(
        issuer="provider", audience="syncledger", algorithms=("ES256",), keys=FixedKeys(key_set())
    )
    with pytest.raises(NotAuthenticated, match="algorithm is 'EdDSA'; accepted: ES256"):
        await strict.identify(f"Bearer {signed()}")


async def test_a_signature_is_checked_once_but_expiry_always(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = CountedKeys(key_set())
    verify = verifier(keys)
    authorization = f"Bearer {signed()}"
    assert await verify.identify(authorization) is await verify.identify(authorization)
    assert keys.asked == 1
    monkeypatch.setattr("api.identity.time", lambda: time() + 3600)
    with pytest.raises(NotAuthenticated, match="has expired"):
        await verify.identify(authorization)
    assert keys.asked == 1


async def test_a_token_is_checked_again_after_a_while(clock: Clock) -> None:
    keys = CountedKeys(key_set())
    verify = verifier(keys)
    authorization = f"Bearer {signed()}"
    await verify.identify(authorization)
    clock.now += 299
    await verify.identify(authorization)
    assert keys.asked == 1
    clock.now += 1
    await verify.identify(authorization)
    assert keys.asked == 2


async def test_a_thousand_tokens_are_remembered_and_the_longest_unused_forgotten() -> None:
    keys = CountedKeys(key_set())
    verify = verifier(keys)
    tokens = [f"Bearer {signed(sub=str(number))}" for number in range(1001)]
    for token in [*tokens[:1000], tokens[0], tokens[1000], tokens[0]]:
        await verify.identify(token)
    assert keys.asked == 1001
    await verify.identify(tokens[1])
    assert keys.asked == 1002


async def test_a_key_file_is_read_again_after_rotation(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(jwks(first=OURS)))
    keys = keys_at(str(path))
    assert isinstance(keys, FileKeys)
    assert (await keys.key("first")).key_id == "first"
    path.write_text(json.dumps(jwks(second=FOREIGN)))
    assert (await keys.key("second")).key_id == "second"
    with pytest.raises(NotAuthenticated, match=r"The token's key 'first' is not in the key set: "):
        await keys.key("first")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: .*No such file"),
        ("{", "cannot be read: Expecting property name"),
        ("[]", "is not a JSON object"),
        ("{}", "cannot be used: The JWK Set did not contain any keys"),
        ('{"keys": [{"kty": "none"}]}', "cannot be used: .* any usable keys"),
    ],
)
async def test_a_bad_key_file_is_named(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(KeysUnavailable, match=f"The key set {path} {reason}"):
        await FileKeys(path).key("ours")
    path.write_text(json.dumps(key_set()))
    assert (await FileKeys(path).key("ours")).key_id == "ours"


class Provider:
    """An identity provider's address that counts its requests."""

    def __init__(self, keys: Jwks) -> None:
        self.keys = keys
        self.status = "200 OK"
        self.requests = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        body = json.dumps(self.keys)
        writer.write(f"HTTP/1.0 {self.status}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[AddressKeys]:
        async with await asyncio.start_server(self.answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            keys = keys_at(f"http://127.0.0.1:{port}/keys")
            assert isinstance(keys, AddressKeys)
            yield keys


async def test_an_address_is_asked_once_for_many(clock: Clock) -> None:
    provider = Provider(key_set())
    async with provider.listening() as keys:
        found = await asyncio.gather(*(keys.key("ours") for _ in range(20)))
        assert {key.key_id for key in found} == {"ours"}
    assert provider.requests == 1


async def test_an_unknown_key_asks_again_but_not_more_than_every_thirty_seconds(
    clock: Clock,
) -> None:
    provider = Provider(jwks(first=OURS))
    async with provider.listening() as keys:
        await keys.key("first")
        provider.keys = jwks(second=FOREIGN)
        clock.now += 29
        with pytest.raises(NotAuthenticated, match="The token's key 'second' is not in"):
            await keys.key("second")
        assert provider.requests == 1
        clock.now += 1
        assert (await keys.key("second")).key_id == "second"
        with pytest.raises(NotAuthenticated, match="The token's key 'first' is not in"):
            await keys.key("first")
    assert provider.requests == 2


async def test_a_withdrawn_key_is_gone_after_five_minutes(clock: Clock) -> None:
    provider = Provider(jwks(first=OURS))
    async with provider.listening() as keys:
        await keys.key("first")
        provider.keys = jwks(second=FOREIGN)
        clock.now += 299
        await keys.key("first")
        clock.now += 1
        with pytest.raises(NotAuthenticated, match="The token's key 'first' is not in"):
            await keys.key("first")


async def test_known_keys_outlast_an_outage_and_unknown_ones_say_so(clock: Clock) -> None:
    provider = Provider(jwks(first=OURS))
    async with provider.listening() as keys:
        await keys.key("first")
        provider.status = "503 Service Unavailable"
        clock.now += 300
        assert (await keys.key("first")).key_id == "first"
        with pytest.raises(
            KeysUnavailable, match=r"The key set http://127.* cannot be read: .*503"
        ):
            await keys.key("second")
        assert provider.requests == 2


async def test_an_address_without_keys_is_unavailable(clock: Clock) -> None:
    async with Provider({"keys": []}).listening() as keys:
        with pytest.raises(KeysUnavailable, match="cannot be used: The JWK Set did not contain"):
            await keys.key("ours")


@pytest.mark.parametrize(
    "address", ["http://login.example.com/keys", "file:///etc/keys.json", "https:///keys"]
)
def test_keys_come_over_https_or_from_this_machine(address: str) -> None:
    with pytest.raises(ValueError, match=f"'{address}' is not an https address"):
        keys_at(address)


def test_an_https_address_will_do() -> None:
    assert isinstance(keys_at("https://login.example.com/keys"), AddressKeys)


async def test_the_own_issuer_is_believed_by_its_own_key_set(tmp_path: Path) -> None:
    issuer = Issuer.open(tmp_path / "data")
    verify = Verifier(issuer=ISSUER, audience=AUDIENCE, keys=FixedKeys(issuer.jwks()))
    token = issuer.token("grace", name="Grace Hopper", platform_administrator=True)
    identity = await verify.identify(f"Bearer {token}")
    assert (identity.subject, identity.name) == ("grace", "Grace Hopper")
    assert identity.platform_administrator is True
    assert time() + 43190 < identity.expires_at <= time() + 43200
    token = issuer.token("grace", lifetime=timedelta(seconds=0))
    with pytest.raises(NotAuthenticated, match="has expired"):
        await verify.identify(f"Bearer {token}")


def test_the_own_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, again = Issuer.open(tmp_path), Issuer.open(tmp_path)
    assert first.jwks() == again.jwks()
    assert [path.name for path in tmp_path.iterdir()] == ["identity.key"]
    assert stat.S_IMODE((tmp_path / "identity.key").stat().st_mode) == 0o600


def test_of_two_starters_one_key_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    winner = Issuer.open(tmp_path)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # as the slower one saw it
    assert Issuer.open(tmp_path).jwks() == winner.jwks()
    assert [path.name for path in tmp_path.iterdir()] == ["identity.key"]


def test_only_the_public_half_is_published_under_its_thumbprint(tmp_path: Path) -> None:
    [key] = Issuer.open(tmp_path).jwks()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "alg", "use"}
    text = f'{{"crv":"Ed25519","kty":"OKP","x":"{key["x"]}"}}'
    digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    assert key["kid"] == digest.rstrip(b"=").decode()


def test_a_key_open_to_others_is_refused(tmp_path: Path) -> None:
    Issuer.open(tmp_path)
    path = tmp_path / "identity.key"
    path.chmod(0o640)
    with pytest.raises(UnusableKey, match=f"{path} is open to others .mode 0640.: remove it"):
        Issuer.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----"])
def test_what_is_not_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "identity.key"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(content)
    with pytest.raises(UnusableKey, match=f"{path} is not an Ed25519 key: remove it to get a new"):
        Issuer.open(tmp_path)


def test_a_key_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "identity.key").mkdir()
    with pytest.raises(UnusableKey, match=r"identity\.key cannot be used: Is a directory"):
        Issuer.open(tmp_path)


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(UnusableKey, match=r"data/identity\.key cannot be used: Not a directory"):
        Issuer.open(tmp_path / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for others")
@pytest.mark.parametrize("made_before", [True, False])
def test_a_key_that_root_makes_belongs_to_the_owner_of_the_folder(
    tmp_path: Path, made_before: bool
) -> None:
    data = tmp_path / "data"
    if made_before:
        data.mkdir(mode=0o700)
    for folder in (tmp_path, data) if made_before else (tmp_path,):
        os.chown(folder, 54321, 54321)
    Issuer.open(data)
    owners = {path.stat().st_uid for path in (data, data / "identity.key")}
    assert owners == {54321}
