"""The published vectors: frozen, worked out anew by the code, and by a second implementation."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.pseudonym import pseudonym
from gateway.identity.vectors import vectors
from gateway.model.tokens import ELEMENTS, TOKEN_NAMES
from tests.oracle import pseudonyms as oracle

FROZEN = json.loads(
    Path(__file__).parents[1].joinpath("vectors", "sfg1.json").read_text(encoding="utf-8")
)
ROOT = bytes.fromhex(FROZEN["root_hex"])
POLICIES = Path(__file__).parents[2] / "policies"
ROLES = {
    **dict.fromkeys(("fn1", "fn2", "fnx", "nick"), "forename"),
    **dict.fromkeys(("sn1", "sn2", "snx"), "surname"),
    "dob": "date_of_birth",
    "sex": "sex",
    "pc": "postcode",
    "hn": "house_number",
    "st": "street",
    "town": "town",
    "uprn": "uprn",
    "nhs": "nhs_number",
    "upn": "upn",
    "nino": "nino",
}


def test_the_code_gives_the_frozen_vectors() -> None:
    assert vectors() == FROZEN


def test_there_are_two_vectors_at_least_for_each_token_and_element() -> None:
    tokens = Counter(entry["token"] for entry in FROZEN["vectors"])
    values = {entry["value"] for entry in FROZEN["vectors"]}
    elements = Counter(e["element"] for e in FROZEN["standardisation"] if e["output"])
    assert set(tokens) == set(TOKEN_NAMES)
    assert min(tokens.values()) >= 2
    assert len(values) == len(FROZEN["vectors"])
    assert set(elements) == set(ELEMENTS)
    assert min(elements.values()) >= 2


@pytest.mark.parametrize("entry", FROZEN["vectors"], ids=lambda e: e["token"])
def test_a_token_vector_holds_by_the_second_implementation(entry: dict[str, object]) -> None:
    places = (str(entry["study"]), str(entry["linkage_unit"]), str(entry["epoch"]))
    key = oracle.token_key(ROOT, *places)
    parts = [str(part) for part in entry["components"]]  # type: ignore[attr-defined]
    assert oracle.base32(oracle.digest(key, str(entry["token"]), parts)) == entry["value"]


def test_every_standardisation_vector_holds_by_the_second_implementation() -> None:
    for entry in FROZEN["standardisation"]:
        given = entry["input"]
        row = given if isinstance(given, dict) else {ROLES[entry["element"]]: given}
        terms = {"population": "synthetic", "postcode_form": entry.get("postcode_form", "")}
        assert oracle.elements(row, terms)[entry["element"]] == entry["output"], entry


def test_sounds_and_keys_hold_by_the_second_implementation() -> None:
    for entry in FROZEN["soundex"]:
        assert oracle.soundex(entry["input"]) == entry["output"]
    for entry in FROZEN["keys"]:
        key = oracle.hkdf(ROOT, oracle.frame("sfg1", entry["what"], "std1", *entry["info"]))
        if entry["what"] == "check":
            assert key[:8].hex() == entry["value"]
        else:
            name = entry.get("token", "pseudonym")
            found = oracle.base32(oracle.digest(key, name, entry["components"]))
            assert found == entry["value"]


def test_the_tables_are_the_ones_that_the_vectors_name() -> None:
    for name, digest in FROZEN["tables"].items():
        assert hashlib.sha256((oracle.TABLES / name).read_bytes()).hexdigest() == digest


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("GATEWAY_POLICIES", str(POLICIES))
    file = tmp_path / "people.csv"
    file.write_text(
        "rec_id, Given_Name,surname,postcode,date_of_birth\n1, Ann ,Li,4814,19900228\n2,,,,\n",
        encoding="utf-8",
    )
    return file


def arguments(file: Path, root: str = ROOT.hex(), dataset: str = "febrl4") -> list[str]:
    names = ["--dataset", dataset, "--study", "s", "--linkage-unit", "u", "--epoch", "e1"]
    return ["tokens", str(file), *names, "--root-hex", root, "--json"]


def test_the_command_prints_the_vectors_as_one_document() -> None:
    done = CliRunner().invoke(pseudonym, ["vectors", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == FROZEN
    assert FROZEN["vectors"][0]["value"][:8] in CliRunner().invoke(pseudonym, ["vectors"]).stdout


def test_the_command_makes_a_files_tokens_under_a_throw_away_root(people: Path) -> None:
    done = CliRunner().invoke(pseudonym, arguments(people))
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    row = {"fn1": "ANN", "sn1": "LI", "dob": "1990-02-28", "pc": "4814", "sex": "-"}
    key = oracle.token_key(ROOT, "s", "u", "e1")
    for name in ("T03", "T09", "T13", "T18", "T36"):
        assert rows[0]["tokens"][name] == oracle.token(row, name, key)
    assert set(rows[1]["tokens"].values()) == {None}


@pytest.mark.parametrize(
    ("changed", "code", "exit_code"),
    [
        ({"root": "abcd"}, "pseudonym/root-form", 2),
        ({"root": "zz"}, "pseudonym/root-form", 2),
        ({"dataset": "nobody"}, "pseudonym/unknown-dataset", 2),
    ],
)
def test_the_command_refuses_what_it_cannot_use(
    people: Path, changed: dict[str, str], code: str, exit_code: int
) -> None:
    done = CliRunner().invoke(pseudonym, arguments(people, **changed))
    assert done.exit_code == exit_code
    assert json.loads(done.stdout)["error"]["code"] == code


def test_a_file_without_any_agreed_column_is_rejected(people: Path) -> None:
    people.write_text("a,b\n1,2\n", encoding="utf-8")
    done = CliRunner().invoke(pseudonym, arguments(people))
    assert done.exit_code == 4
    assert "pseudonym/no-columns" in done.output


def test_a_file_that_is_no_table_is_rejected_without_quoting_it(people: Path) -> None:
    people.write_text('given_name,surname\n"Ann,Li\n1,2,3,4\n', encoding="utf-8")
    done = CliRunner().invoke(pseudonym, arguments(people))
    assert done.exit_code == 4
    assert "pseudonym/unreadable" in done.output
    assert "Ann" not in done.output


def test_a_root_of_the_key_ring_is_refused(people: Path, tmp_path: Path) -> None:
    from gateway.adapters.keyring_core import CoreRing
    from gateway.model.keys import KeyKind

    (tmp_path / "var").mkdir(mode=0o700)
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct-horse-battery-staple-1234567890")
    passphrase.chmod(0o400)
    secret = passphrase.read_bytes()
    ring = CoreRing.create(tmp_path / "var" / "keys", secret, sender="council")
    record = ring.make(
        KeyKind.STUDY_ROOT, owner="s", epoch="e1", at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )
    root = ring.secret(record.id, KeyKind.STUDY_ROOT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEWAY_PASSPHRASE_FILE", str(passphrase))
        refused = CliRunner().invoke(pseudonym, arguments(people, root=root.hex()))
        passed = CliRunner().invoke(pseudonym, arguments(people))
    assert refused.exit_code == 3, refused.output
    assert "pseudonym/root-in-ring" in refused.output
    assert root.hex() not in refused.output
    assert passed.exit_code == 0, passed.output
