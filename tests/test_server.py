import asyncio
import json
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import programs
import psutil
import pytest
from conftest import unsynced
from given import BEGUN
from programs import Served, eventually, feed, figures, postmaster, run, serving

from app.embedded_postgres import EmbeddedPostgres, address
from app.issuer import AUDIENCE, ISSUER, Issuer
from app.server import DRAIN

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(90)]

VIEWER = "{ viewer { principal { id name } platformAdministrator } }"
KEYS = "{ environments { nodes { key } } }"
REGISTER = """mutation {
  registerEnvironment(input: {key: "contoso", name: "Contoso", kind: SANDBOX}) { __typename }
}"""
WAITING = '{ environment(key: "contoso-dev", atLeastPosition: 100000) { position } }'
A_FEW_SECONDS = 15.0  # more than any end takes on a busy machine; the tests print what it took


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that has been served before."""
    folder = tmp_path_factory.mktemp("used")
    with serving(folder):
        pass
    return unsynced(folder / "data")


@pytest.fixture
def folder(tmp_path: Path, used: Path) -> Path:
    """Where a data folder that was served before is `data`."""
    shutil.copytree(used, tmp_path / "data")
    return tmp_path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, used: Path) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(used, folder / "data")
    with serving(folder) as served:
        yield served


@pytest.fixture
def elsewhere(fresh: Path, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """Any Postgres, where nobody has been."""
    server = EmbeddedPostgres.start(shutil.copytree(fresh, tmp_path / "elsewhere"))
    yield server
    server.stop()


def dsn(server: EmbeddedPostgres, user: str = "postgres", database: str = "postgres") -> str:
    return address(server.socket_folder, user=user, database=database)


def say(server: EmbeddedPostgres, *statements: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(dsn(server))
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def refused(tmp_path: Path, **variables: str) -> str:
    """The one line that `serve` ends with, exit status 1."""
    data = variables.pop("DATA", str(tmp_path / "data"))
    port = variables.pop("PORT", str(programs.free_port()))
    ended = run("serve", DATA=data, PORT=port, **variables)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def all_gone(family: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(family, timeout=5)[1]


def token_of_an_administrator(data: Path) -> str:
    words = ("token", "--as", "root@contoso.example", "--platform-administrator")
    return run(*words, DATA=str(data)).stdout.strip()


def test_it_prints_the_addresses_and_a_token_that_works_for_each_demo_person(
    served: Served,
) -> None:
    said = served.output.read_text()
    assert f"http://127.0.0.1:{served.port}/graphql" in said
    assert f"ws://127.0.0.1:{served.port}/graphql" in said
    assert len(served.tokens) == 6
    for name, token in served.tokens.items():
        viewer = served.ask(token, VIEWER)["viewer"]
        assert isinstance(viewer, dict)
        assert viewer["principal"]["name"] == name
        assert viewer["platformAdministrator"] is (name == "Paula Platform")


def test_the_first_start_and_a_later_one(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for start in ("cold", "warm"):
        with serving(tmp_path) as served:
            figures(request, f"{start} start: {served.seconds:.2f} s")
            assert len(served.tokens) == 6


def test_it_says_nothing_on_standard_error(served: Served) -> None:
    assert served.errors.read_text() == ""


def test_graphiql_is_at_the_address_it_prints(served: Served) -> None:
    page = httpx.get(served.url, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<title>" in page.text


def test_a_token_of_the_command_line_works_at_the_server(served: Served) -> None:
    token = token_of_an_administrator(served.data)
    viewer = served.ask(token, VIEWER)["viewer"]
    assert viewer == {
        "principal": {"id": "root@contoso.example", "name": None},
        "platformAdministrator": True,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify"], " entries, whole"),
        (["rebuild"], "rebuilt 3 environments"),
        (["migrate"], "nothing to apply"),
    ],
)
def test_the_other_verbs_attach_to_the_running_server(
    served: Served, words: list[str], said: str
) -> None:
    before = postmaster(served.data)
    ended = run(*words, DATA=str(served.data))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert said in ended.stdout
    assert postmaster(served.data) == before
    assert served.ask(served.tokens["Ada Administrator"], KEYS)


@pytest.mark.parametrize("verb", ["verify", "rebuild", "migrate"])
def test_the_other_verbs_start_a_server_of_their_own_where_none_runs(
    folder: Path, verb: str
) -> None:
    ended = run(verb, DATA=str(folder / "data"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout
    assert postmaster(folder / "data") is None


def test_verify_of_a_folder_that_was_never_served_says_what_to_do(tmp_path: Path) -> None:
    for verb in ("verify", "rebuild"):
        ended = run(verb, DATA=str(tmp_path / "data"))
        assert ended.returncode == 1
        assert f"There is no data in {tmp_path / 'data'}" in ended.stderr
        assert not (tmp_path / "data").exists()


def test_an_owner_alone_is_enough_to_migrate_and_for_nothing_else(
    tmp_path: Path, elsewhere: EmbeddedPostgres
) -> None:
    data = tmp_path / "data"
    assert "applied schema.sql" in run("migrate", DATA=str(data), OWNER_DSN=dsn(elsewhere)).stdout
    assert not data.exists()
    for verb in ("verify", "serve"):
        ended = run(verb, DATA=str(data), OWNER_DSN=dsn(elsewhere))
        assert ended.returncode == 1
        assert "SYNCLEDGER_OWNER_DSN is set and SYNCLEDGER_DSN is not" in ended.stderr


def test_a_data_folder_that_is_removed_under_the_server_ends_it_and_spoils_no_new_one(
    folder: Path,
) -> None:
    with serving(folder) as served:
        family = psutil.Process(served.process.pid).children(recursive=True)
        shutil.rmtree(served.data)
        assert served.process.wait(30) == 1
        assert "the data folder was removed while it was served" in served.errors.read_text()
        assert all_gone(family)
    shutil.rmtree(served.data, ignore_errors=True)
    with serving(folder) as served:
        assert served.ask(served.tokens["Ada Administrator"], KEYS)


def test_a_key_set_that_is_not_there_is_told_at_the_start(folder: Path) -> None:
    missing = folder / "nowhere.json"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    provider = {"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "JWKS": str(missing)}
    ended = run("serve", DATA=str(folder / "data"), PORT=port, **provider)
    assert ended.returncode == 1
    assert f"The key set {missing} cannot be read" in ended.stderr


def test_a_second_serve_on_one_data_folder_is_refused_and_told_who_has_it(
    served: Served, tmp_path: Path
) -> None:
    line = refused(tmp_path, DATA=str(served.data))
    assert f"{served.data} is in use by process {served.process.pid}" in line


@pytest.mark.parametrize("variable", ["PORT", "METRICS_PORT"])
def test_a_taken_port_is_named_and_postgres_does_not_stay(folder: Path, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = refused(folder, **{variable: str(port)})
    assert f"127.0.0.1:{port}" in line
    assert f"SYNCLEDGER_{variable}" in line
    assert postmaster(folder / "data") is None


def test_metrics_have_a_port_of_their_own_and_count_what_was_asked(folder: Path) -> None:
    port = programs.free_port()
    with serving(folder, METRICS_PORT=str(port)) as served:
        token = served.tokens["Ada Administrator"]
        asked = {"query": "query Who { viewer { platformAdministrator } }"}
        bearer = {"Authorization": f"Bearer {token}"}
        assert httpx.post(served.url, json=asked, headers=bearer).status_code == 200
        told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'syncledger_operations_total{document="' in told
        assert 'name="Who",outcome="ok",type="query"} 1.0' in told
        assert httpx.get(f"http://127.0.0.1:{served.port}/metrics").status_code == 404


def test_an_address_of_version_six_is_served_and_printed_in_brackets(folder: Path) -> None:
    served = programs.begin(folder, HOST="::1")
    try:
        eventually(lambda: "Ctrl-C" in served.output.read_text())
        address = f"http://[::1]:{served.port}/graphql"
        assert address in served.output.read_text()
        assert httpx.get(address).status_code == 401
    finally:
        programs.finish(served)


@pytest.mark.parametrize("number", programs.SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_everything_with_exit_status_zero(
    folder: Path, number: signal.Signals
) -> None:
    with serving(folder) as served:
        family = served.family()
        assert len(family) > 3
        assert served.end(number, A_FEW_SECONDS) == 0
        assert all_gone(family)
        assert postmaster(served.data) is None
        assert served.errors.read_text() == ""


async def test_a_signal_ends_open_sockets_and_answers_a_request_under_way(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    with serving(folder) as served:
        token, family = served.tokens["Ada Administrator"], served.family()

        answers: list[str] = []

        def wait() -> None:
            answer = httpx.post(
                served.url,
                json={"query": WAITING},
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
            )
            answers.append(answer.text)

        waiting = threading.Thread(target=wait)
        async with feed(served.port, token, "contoso-dev", 0) as items:
            await anext(items)
            waiting.start()
            eventually(lambda: len(psutil.Process(served.process.pid).net_connections()) > 2)
            begun = time.monotonic()
            assert await asyncio.to_thread(served.end, signal.SIGTERM, DRAIN + A_FEW_SECONDS) == 0
            figures(request, f"ended in {time.monotonic() - begun:.1f} s")
        waiting.join(5)
        assert not waiting.is_alive()
        assert "POSITION_NOT_REACHED" in answers[0]
        assert all_gone(family)
        assert postmaster(served.data) is None


def test_many_signals_are_one(folder: Path) -> None:
    with serving(folder) as served:
        family = served.family()
        for number in (*programs.SIGNALS, *programs.SIGNALS):
            with suppress(ProcessLookupError):
                served.process.send_signal(number)
        assert served.process.wait(A_FEW_SECONDS) == 0
        assert all_gone(family)


@pytest.mark.parametrize("number", programs.SIGNALS, ids=lambda number: number.name)
def test_a_signal_while_it_starts_ends_everything_too(
    tmp_path: Path, number: signal.Signals
) -> None:
    served = programs.begin(tmp_path)
    try:
        eventually((tmp_path / "data" / "pgdata.new" / "PG_VERSION").exists)
        family = served.family()
        assert served.end(number, A_FEW_SECONDS) == 0
        assert all_gone(family)
        assert (served.output.read_text(), served.errors.read_text()) == ("", "")
    finally:
        programs.finish(served)


def test_under_nohup_it_outlives_the_terminal(folder: Path) -> None:
    with serving(folder, before=("nohup",)) as served:
        served.process.send_signal(signal.SIGHUP)
        assert served.ask(served.tokens["Ada Administrator"], VIEWER)
        assert served.end() == 0


def test_a_killed_postgres_is_started_again(folder: Path) -> None:
    with serving(folder) as served:
        killed = postmaster(served.data)
        assert killed is not None
        killed.kill()
        eventually(lambda: postmaster(served.data) not in {None, killed})
        token = served.tokens["Ada Administrator"]
        eventually(
            lambda: (
                "contoso-dev"
                in httpx.post(
                    served.url,
                    json={"query": KEYS},
                    headers={"Authorization": f"Bearer {token}"},
                ).text
            )
        )
        assert "starting it again" in served.errors.read_text()
        assert served.end() == 0


def test_a_postgres_that_cannot_start_again_is_tried_until_it_can(folder: Path) -> None:
    configuration = folder / "data" / "pgdata" / "postgresql.conf"
    with serving(folder) as served:
        good = configuration.read_text()
        configuration.write_text("no_such_setting = 1")
        killed = postmaster(served.data)
        assert killed is not None
        killed.kill()
        eventually(lambda: "did not start again" in served.errors.read_text())
        configuration.write_text(good)
        eventually(lambda: postmaster(served.data))
        assert served.end() == 0


def test_a_killed_serve_leaves_no_server_behind_and_the_next_one_starts(folder: Path) -> None:
    with serving(folder) as served:
        family = served.family()
        served.process.kill()
        served.process.wait()
        assert all_gone(family)
    with serving(folder) as served:
        assert served.ask(served.tokens["Ada Administrator"], KEYS)


def test_a_superuser_alone_is_enough_for_a_new_database_and_later_the_application_alone(
    tmp_path: Path, elsewhere: EmbeddedPostgres
) -> None:
    data = tmp_path / "data"
    token = token_of_an_administrator(data)
    with serving(tmp_path, DSN=dsn(elsewhere)) as served:
        assert "syncledger token --as" in served.output.read_text()
        assert not served.tokens
        assert served.ask(token, KEYS) == {"environments": {"nodes": []}}
        assert served.ask(token, REGISTER)
        assert not (data / "pgdata").exists()
    with serving(tmp_path, DSN=dsn(elsewhere, "syncledger_app")) as served:
        assert served.ask(token, KEYS) == {"environments": {"nodes": [{"key": "contoso"}]}}
    ended = run("verify", DATA=str(data), DSN=dsn(elsewhere, "syncledger_app"))
    assert (ended.returncode, ended.stdout) == (
        0,
        f"contoso: {BEGUN} entries, whole\n",
    )


def test_where_a_provider_is_named_its_tokens_are_good_and_none_are_offered(folder: Path) -> None:
    provider = Issuer.open(folder / "provider")
    keys = folder / "keys.json"
    keys.write_text(json.dumps(provider.jwks()))
    with serving(folder, ISSUER=ISSUER, AUDIENCE=AUDIENCE, JWKS=str(keys)) as served:
        assert "oken" not in served.output.read_text()
        token = provider.token("ada@contoso.example")
        environments = [{"key": f"contoso-{name}"} for name in ("dev", "prod", "test")]
        assert served.ask(token, KEYS) == {"environments": {"nodes": environments}}
        foreign = Issuer.open(served.data).token("ada@contoso.example")
        headers = {"Authorization": f"Bearer {foreign}"}
        assert httpx.post(served.url, json={"query": KEYS}, headers=headers).status_code == 401


def test_an_owner_beside_the_application_makes_the_schema(
    tmp_path: Path, elsewhere: EmbeddedPostgres
) -> None:
    say(
        elsewhere,
        "CREATE ROLE owner LOGIN CREATEROLE",
        "CREATE DATABASE settings OWNER owner",
    )
    application = dsn(elsewhere, "syncledger_app", "settings")
    owner = dsn(elsewhere, "owner", "settings")
    with serving(tmp_path, DSN=application, OWNER_DSN=owner) as served:
        token = token_of_an_administrator(served.data)
        assert served.ask(token, KEYS) == {"environments": {"nodes": []}}


def test_an_unprivileged_role_alone_is_told_to_migrate(
    tmp_path: Path, elsewhere: EmbeddedPostgres
) -> None:
    say(elsewhere, "CREATE ROLE somebody LOGIN")
    somebody = dsn(elsewhere, "somebody")
    assert "run `syncledger migrate`" in refused(tmp_path, DSN=somebody)
    ended = run("verify", DATA=str(tmp_path), DSN=somebody)
    assert ended.returncode == 1
    assert "run `syncledger migrate`" in ended.stderr
    ended = run("migrate", DATA=str(tmp_path), DSN=somebody)
    assert ended.returncode == 1
    assert "SYNCLEDGER_OWNER_DSN" in ended.stderr


def test_an_owner_without_rights_is_told_so_though_the_database_is_ready(
    tmp_path: Path, elsewhere: EmbeddedPostgres
) -> None:
    assert run("migrate", "--json", DATA=str(tmp_path), DSN=dsn(elsewhere)).returncode == 0
    say(elsewhere, "CREATE ROLE somebody LOGIN")
    line = refused(
        tmp_path, DSN=dsn(elsewhere, "syncledger_app"), OWNER_DSN=dsn(elsewhere, "somebody")
    )
    assert "SYNCLEDGER_OWNER_DSN needs a role" in line


def test_a_database_or_role_that_is_not_there_is_named(
    tmp_path: Path, elsewhere: EmbeddedPostgres
) -> None:
    assert 'database "no" does not exist' in refused(tmp_path, DSN=dsn(elsewhere, database="no"))
    assert 'role "no" does not exist' in refused(tmp_path, DSN=dsn(elsewhere, "no"))


def test_a_database_that_is_away_is_told_in_one_line(tmp_path: Path) -> None:
    away = f"postgresql://syncledger_app:secret@127.0.0.1:{programs.free_port()}/syncledger"
    line = refused(tmp_path, DSN=away)
    assert "cannot be reached" in line
    assert "secret" not in line


def test_a_wrong_password_is_called_so(tmp_path: Path, elsewhere: EmbeddedPostgres) -> None:
    say(elsewhere, "CREATE ROLE somebody LOGIN PASSWORD 'right'")
    rules = tmp_path / "elsewhere" / "pgdata" / "pg_hba.conf"
    rules.write_text("local all somebody scram-sha-256\n" + rules.read_text())
    say(elsewhere, "SELECT pg_reload_conf()")
    wrong = dsn(elsewhere, "somebody").replace("somebody@", "somebody:secret@")

    def told() -> bool:
        ended = run("verify", DATA=str(tmp_path / "data"), DSN=wrong)
        assert ended.returncode == 1
        assert "secret" not in ended.stderr
        return ended.stderr == 'Error: password authentication failed for user "somebody"\n'

    eventually(told)


def test_what_the_driver_does_not_understand_of_a_dsn_is_told_in_one_line(tmp_path: Path) -> None:
    line = refused(tmp_path, DSN="postgresql://somebody:secret@127.0.0.1:1/x?sslmode=perhaps")
    assert "sslmode" in line
    assert "secret" not in line
