"""`gateway ledger ...` and `gateway trust export` on a real data directory, as commands."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.sealing import parse_trust
from gateway.standalone import verify_ledger

ENVIRONMENT: dict[str, str] = {}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    passphrase = home / "passphrase"
    passphrase.write_text("correct horse battery staple and seven more of them words")
    passphrase.chmod(0o400)
    ENVIRONMENT.update(
        {"GATEWAY_PASSPHRASE_FILE": str(passphrase), "GATEWAY_DATA": str(home / "var")}
    )
    done = run("init", "--name", "knowsley")
    assert done.exit_code == 0, done.output
    yield home
    ENVIRONMENT.clear()


def run(*arguments):
    return CliRunner(env=ENVIRONMENT).invoke(main, [str(part) for part in arguments])


def answer(*arguments):
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_checkpoint_covers_the_log_and_the_log_verifies_against_it(data, tmp_path):
    signed = answer("ledger", "checkpoint", "--to", tmp_path / "kept")
    found = answer("ledger", "verify", "--against", tmp_path / "kept")
    assert found["ok"] is True
    assert (found["size"], found["root"]) == (signed["size"], signed["root"])
    assert found["checkpoint"] == signed["checkpoint"]
    assert run("ledger", "checkpoint", "--to", tmp_path / "kept").exit_code == 2


def test_export_and_proof_verify_without_the_gateway(data, tmp_path, capsys):
    answer("ledger", "checkpoint")
    trust = tmp_path / "trust"
    trust.write_text(run("trust", "export").stdout)
    parsed = parse_trust(trust.read_bytes())
    assert (parsed.sender, {key.use for key in parsed.keys}) == ("knowsley", {"signing", "ledger"})
    answer("ledger", "export", tmp_path / "log", "--show", "ledger-opened")
    answer("ledger", "prove", "0", "--to", tmp_path / "proof")
    for name in ("log", "proof"):
        assert verify_ledger.main([str(tmp_path / name), "--trust", str(trust)]) == 0
    capsys.readouterr()
    shown = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    events = {line["entry"]["event"] for line in shown if "entry" in line}
    assert events == {"ledger-opened"}


def test_a_proof_is_printed_when_no_file_is_named(data):
    answer("ledger", "checkpoint")
    assert answer("ledger", "prove", "0")["index"] == 0
    assert run("ledger", "prove", "no-such-entry").exit_code == 2


def test_an_unknown_event_is_not_exported(data, tmp_path):
    assert run("ledger", "export", tmp_path / "x", "--show", "nonsense").exit_code == 2
    assert not (tmp_path / "x").exists()


def test_tampering_exits_6_and_says_where(data):
    answer("ledger", "checkpoint")
    place = data / "var" / "gateway.sqlite"
    kept = sqlite3.connect(place)
    (salt,) = kept.execute('SELECT salt FROM ledger_leaves WHERE "index"=0').fetchone()
    kept.execute('UPDATE ledger_leaves SET salt=zeroblob(32) WHERE "index"=0')
    kept.commit()
    done = run("ledger", "verify", "--json")
    kept.execute('UPDATE ledger_leaves SET salt=? WHERE "index"=0', (salt,))
    kept.commit()
    kept.close()
    assert done.exit_code == 6
    found = json.loads(done.stdout)
    assert found["ok"] is False
    assert "ledger/node-changed at 0" in found["faults"]
    assert answer("ledger", "verify")["ok"] is True


@pytest.mark.parametrize("command", [["ledger"], ["open"], ["recipient-key", "new"], ["trust"]])
def test_every_command_has_help_with_an_example(command):
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert "Example: gateway" in done.stdout


def test_an_export_without_a_file_goes_to_standard_output(data, tmp_path):
    answer("ledger", "export", tmp_path / "log")
    done = run("ledger", "export")
    assert done.exit_code == 0
    assert done.stdout == (tmp_path / "log").read_text()


def test_a_table_that_is_piped_has_one_line_for_each_row(data):
    rows = [line for line in run("keys", "list").stdout.splitlines() if "ledger-signing" in line]
    assert rows
    assert all(line.count("│") == rows[0].count("│") for line in rows)
    listed = run("operators", "list").stdout
    assert max(map(len, listed.splitlines())) < 4000
