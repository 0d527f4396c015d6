from pathlib import Path

import pytest
from pydantic import ValidationError

from app.config import BadConfig, Config, variables

ACCEPTED = "EdDSA, ES256, ES384, RS256, PS256, ES512, RS384, RS512, PS384, PS512"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, _ in variables():
        monkeypatch.delenv(name, raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Config:
    for name, value in environment.items():
        monkeypatch.setenv(f"SYNCLEDGER_{name}", value)
    return Config.read()


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(BadConfig) as refused:
        read(monkeypatch, **environment)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_nothing_needs_to_be_set() -> None:
    config = Config.read()
    assert (config.dsn, config.owner_dsn) == (None, None)
    assert (config.data, config.host, config.port) == (Path(".data"), "127.0.0.1", 8000)
    assert (config.issuer, config.audience, config.jwks) == (None, None, None)
    assert config.algorithms == ("EdDSA", "ES256", "RS256")
    assert (config.log_level, config.demo, config.origins) == ("INFO", True, ())


@pytest.mark.parametrize(
    ("variables", "opens"),
    [
        ({}, True),
        ({"DEMO": "false"}, False),
        ({"DSN": "postgresql://application@database/syncledger"}, False),
        ({"ISSUER": "https://a.example", "AUDIENCE": "b", "JWKS": "c"}, False),
    ],
)
def test_a_demonstration_is_opened_only_where_everything_is_our_own(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], opens: bool
) -> None:
    assert read(monkeypatch, **variables).opens_demo is opens


def test_everything_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    config = read(
        monkeypatch,
        DSN="postgresql://application:secret@database/syncledger",
        OWNER_DSN="postgres://owner:secret@database/syncledger",
        DATA="/srv/syncledger",
        HOST="0.0.0.0",  # noqa: S104 - nothing listens here
        PORT="443",
        ISSUER="https://login.example.com",
        AUDIENCE="syncledger",
        JWKS="https://login.example.com/keys",
        ALGORITHMS="RS256, PS256",
        LOG_LEVEL="debug",
        DEMO="false",
        ORIGINS="https://Console.example.com,http://localhost:3000",
        PROXIES="10.0.0.7, 10.1.0.0/16,::1",
        RATE="0",
        PRINCIPAL="ada@contoso.example",
    )
    assert config.dsn == "postgresql://application:secret@database/syncledger"
    assert config.owner_dsn == "postgres://owner:secret@database/syncledger"
    assert (config.data, config.port) == (Path("/srv/syncledger"), 443)
    assert config.jwks == "https://login.example.com/keys"
    assert config.algorithms == ("RS256", "PS256")
    assert (config.log_level, config.demo) == ("DEBUG", False)
    assert config.origins == ("https://console.example.com", "http://localhost:3000")
    assert config.proxies == ("10.0.0.7", "10.1.0.0/16", "::1")
    assert (config.rate, config.address_rate) == (0, 1000)
    assert config.principal == "ada@contoso.example"


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, DSN="", PORT="", ORIGINS="") == Config.read()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PORT", "0", "Input should be greater than or equal to 1"),
        ("PORT", "65536", "Input should be less than or equal to 65535"),
        ("PORT", "http\n", "Input should be a valid integer, unable to parse string as an integer"),
        ("DEMO", "maybe", "Input should be a valid boolean, unable to interpret input"),
        ("LOG_LEVEL", "LOUD", "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("ALGORITHMS", "EdDSA,HS256", f"'HS256' is not among the accepted algorithms: {ACCEPTED}"),
        ("ALGORITHMS", ",", f"name at least one of the accepted algorithms: {ACCEPTED}"),
        ("JWKS", "http://a/b", "'http://a/b' is not an https address (or http on this machine)"),
        (
            "ORIGINS",
            "https://a,https://b/",
            "'https://b/' is no origin; accepted: https://host or ",
        ),
        ("ORIGINS", "*", "'*' is no origin; accepted: https://host or with :port"),
        ("PROXIES", "10.0.0.7,proxy", "'proxy' is no address; accepted: 10.0.0.7 or a network"),
        ("PROXIES", "*", "'*' is no address; accepted: 10.0.0.7 or a network"),
        ("PROXIES", "10.0.0.7/8", "'10.0.0.7/8' is no address; accepted: 10.0.0.7 or a network"),
        ("RATE", "-1", "Input should be greater than or equal to 0"),
        ("ADDRESS_RATE", "many", "Input should be a valid integer, unable to parse"),
        ("METRICS_PORT", "0", "Input should be greater than or equal to 1"),
        ("PRINCIPAL", "x" * 256, "A principal's id has 1 to 255 characters, not 256."),
        ("PRINCIPAL", "\udcff", "A principal's id cannot contain U+DCFF."),
        ("LOG_FORM", "xml", "Input should be 'auto', 'json' or 'text'"),
    ],
)
def test_a_bad_variable_is_named_with_what_is_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    line = refusal(monkeypatch, **{name: value})
    assert line.startswith(f"SYNCLEDGER_{name} is {value!r}: {reason}")


@pytest.mark.parametrize("name", ["DSN", "OWNER_DSN"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("mysql://application:secret@database", "'mysql://…'"),
        ("host=database password=secret", "'…'"),
        ("secret@://", "'…'"),
        ("postgresql://application:secret@database:secret/x", "'postgresql://…'"),
        ("postgresql://application:secret@[::1/x", "'postgresql://…'"),
    ],
)
def test_a_bad_dsn_is_named_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, shown: str
) -> None:
    line = refusal(monkeypatch, **{name: value})
    accepted = "accepted: postgresql://role:password@host:port/database"
    assert line == f"SYNCLEDGER_{name} is {shown}: {accepted}"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://",
        "postgres:///syncledger?host=/run/postgresql&port=5433",
        "postgresql://a:b%2Fc@one:5432,two:5433/syncledger?sslmode=require",
        "postgresql://a:b@[::1]:5432/syncledger",
        "postgresql://a@%2Frun%2Fpostgresql/syncledger",
    ],
)
def test_every_form_of_a_dsn_is_accepted(monkeypatch: pytest.MonkeyPatch, dsn: str) -> None:
    assert read(monkeypatch, DSN=dsn).dsn == dsn


def test_no_secret_is_shown_by_the_object_or_by_another_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dsn = "postgresql://application:secret@database/syncledger"
    assert "secret" not in repr(read(monkeypatch, DSN=dsn, OWNER_DSN=dsn))
    assert "secret" not in refusal(monkeypatch, DSN=dsn, ISSUER="https://login.example.com")


@pytest.mark.parametrize(
    ("set_alone", "missing"),
    [
        (["ISSUER"], "AUDIENCE"),
        (["ISSUER", "AUDIENCE"], "JWKS"),
        (["AUDIENCE", "JWKS"], "ISSUER"),
    ],
)
def test_an_identity_provider_is_set_whole_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, set_alone: list[str], missing: str
) -> None:
    assert refusal(monkeypatch, **dict.fromkeys(set_alone, "keys.json")) == (
        f"SYNCLEDGER_{missing} is not set: set all of SYNCLEDGER_ISSUER, SYNCLEDGER_AUDIENCE, "
        "SYNCLEDGER_JWKS, or none of them"
    )


@pytest.mark.parametrize(
    ("name", "nearest"), [("PROT", "PORT"), ("DNS", "DSN"), ("LOGLEVEL", "LOG_LEVEL"), ("", "DSN")]
)
def test_an_unknown_variable_is_refused_with_the_nearest_known(
    monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    assert refusal(monkeypatch, **{name: "1"}) == (
        f"SYNCLEDGER_{name} is not a variable of Syncledger; the nearest is SYNCLEDGER_{nearest}"
    )


def test_variables_of_others_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("SYNCLEDGERS_PORT", "1")
    assert Config.read().port == 8000


def test_a_config_does_not_change() -> None:
    config = Config.read()
    with pytest.raises(ValidationError, match="frozen"):
        config.port = 1


def test_every_variable_is_described_in_one_line() -> None:
    described = {name: (default, description) for name, default, description in variables()}
    assert len(described) == 18
    assert all(text and "\n" not in text for _, text in described.values())
    assert described["SYNCLEDGER_DSN"] == (
        "unset",
        "Postgres 15 or newer for the application; unset: the embedded server",
    )
    assert described["SYNCLEDGER_ALGORITHMS"][0] == "EdDSA,ES256,RS256"
    assert described["SYNCLEDGER_DEMO"][0] == "true"
    assert described["SYNCLEDGER_DATA"][0] == ".data"
