"""TLS to the database: PostgreSQL by words of its connection string, MariaDB by a group of an option file (trap 15)."""
import os
import shutil
from pathlib import Path

import engines
import pytest
from people import is_signed_in, signed_in
from server import StartFailed
from smtp_server import make_certificates
from test_database_server import options_of_mariadb, site_on

pytestmark = pytest.mark.skipif(engines.NAME != "sqlite3", reason="runs on each server engine by itself")


@pytest.fixture(scope="module")
def certificates(run_folder):
    """Apache's children read them, and a database server, which owns its key."""
    folder = run_folder / "database-tls"
    made = make_certificates(folder)
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o600 if path.suffix == ".key" else 0o644)
        if os.getuid() == 0:
            shutil.chown(path, "www-data", "www-data")
    return made


@pytest.fixture(scope="module")
def others(run_folder):
    """Of an authority that nobody here knows."""
    made = make_certificates(run_folder / "database-tls-others")
    Path(made.ca_file).parent.chmod(0o755)
    return made


OPTIONS = {
    "pgsql": "-c ssl=on -c ssl_cert_file={0.certificate} -c ssl_key_file={0.key}",
    "mysql": "--ssl-cert={0.certificate} --ssl-key={0.key}",
}


@pytest.fixture(scope="module", params=["pgsql", "mysql"])
def secure(run_folder, certificates, request):
    """A server with a certificate for localhost; PostgreSQL lets the site in over TLS alone."""
    one = engines.Engine(run_folder / f"tls-{request.param}", request.param, OPTIONS[request.param].format(certificates))
    if request.param == "pgsql":
        one.stop()
        rules = one.folder / "data" / "pg_hba.conf"
        rules.write_text(rules.read_text().replace("host all", "hostssl all"))
        one.run("start")
    yield one
    one.stop()


@pytest.fixture
def live(secure, run_folder, log_gate, monkeypatch):
    monkeypatch.delenv("HOME", raising=False)  # as a service has none: libpq would look for root's certificate there
    server = site_on(secure, run_folder)
    log_gate.watch(server)
    yield server
    server.stop()


def demand_tls(server, engine, authority, monkeypatch):
    """The site speaks to a server of this authority only."""
    if engine.name == "pgsql":
        server.conf = server.conf.replace("user=userauth", f"user=userauth sslmode=verify-full sslrootcert={authority}")
    else:
        options_of_mariadb(server, monkeypatch, f"ssl-ca={authority}\nssl-verify-server-cert\n")


CIPHERS = """SELECT s.cipher FROM pg_stat_ssl s JOIN pg_stat_activity a ON a.pid = s.pid
    WHERE a.application_name = 'mod_userauth' AND a.datname = current_database()"""


def as_user_of_tls(server, engine):
    """MariaDB lets this one in over TLS alone."""
    server.db(f"CREATE USER IF NOT EXISTS 'tls'@'127.0.0.1' IDENTIFIED BY '{engine.password}' REQUIRE SSL")
    server.db(f"GRANT ALL ON {engine.database(server.folder)}.* TO 'tls'@'127.0.0.1'")
    server.conf = server.conf.replace("user=userauth", "user=tls")


def test_it_is_spoken(live, secure, certificates, monkeypatch):
    demand_tls(live, secure, certificates.ca_file, monkeypatch)
    if secure.name == "mysql":
        as_user_of_tls(live, secure)
    live.start()
    assert is_signed_in(signed_in(live))
    if secure.name == "pgsql":
        said = live.db(CIPHERS)
        assert said and all(row[0] for row in said)


def test_a_site_that_does_not_speak_it(live, secure):
    """Refused at start, in words."""
    if secure.name == "mysql":
        as_user_of_tls(live, secure)
    else:
        live.conf = live.conf.replace("user=userauth", "user=userauth sslmode=disable")
    with pytest.raises(StartFailed) as failed:
        live.start()
    assert "UserAuthDatabase" in str(failed.value) and secure.password not in str(failed.value)
    live.expect_log("UA0001|AH00")


def test_a_certificate_of_somebody_else(live, secure, others, monkeypatch):
    """Refused at start; with its own authority it is let in, see above."""
    demand_tls(live, secure, others.ca_file, monkeypatch)
    with pytest.raises(StartFailed) as failed:
        live.start()
    assert "UserAuthDatabase" in str(failed.value) and secure.password not in str(failed.value)
    live.expect_log("UA0001|AH00")
