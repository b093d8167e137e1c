"""Custody of keys, promise by promise, with the real command on real directories.

Source: docs/reference/keys.md.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from pathlib import Path

import pyrage
import pytest

from gateway.adapters import keyring_grants, ledger_store
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing, open_ring
from gateway.adapters.keyring_books import record_use
from gateway.adapters.keyring_offers import check_value, load
from gateway.adapters.settings import read_settings
from gateway.errors import RefusedError, UsageError
from gateway.model.keys import KeyKind
from tests.adapters.keys_process import Office, founded

DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = founded(tmp_path_factory.mktemp("template"))
    with sqlite3.connect(made.data / "gateway.sqlite") as stored:
        # An agreement that somebody proposed, so that keys can be granted for its digest.
        stored.execute(
            "INSERT INTO policy_proposals (agreement, version, controllers, policy_digest, editor,"
            " signature, proposed, withdrawn, withdrawn_by)"
            " VALUES ('a', 1, '[]', ?, 'ada', '', '2026-01-01', '', '')",
            (DIGEST,),
        )
    return made.home


@pytest.fixture
def office(template: Path, tmp_path: Path) -> Office:
    shutil.copytree(template, tmp_path / "trafford")
    return Office(home=tmp_path / "trafford")


def ring_of(office: Office) -> KeyRing:
    environ = {"GATEWAY_PASSPHRASE_FILE": str(office.passphrase)}
    return open_ring(read_settings(office.data, environ=environ))


def database_of(office: Office) -> Database:
    return Database(f"sqlite:///{office.data / 'gateway.sqlite'}")


def events_of(office: Office) -> list[tuple[str, dict[str, object]]]:
    with database_of(office).begin() as connection:
        return [(e.event, dict(e.facts)) for _, e in ledger_store.entries(connection)]


def everything_under(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def new_study(office: Office, epoch: str = "2026-1") -> str:
    new = ("keys", "new", "--kind", "study", "--study", "nis", "--epoch", epoch)
    return office.must(*new, "--as", "carol")["keys"][0]["key"]


def register_party(office: Office, party: str, folder: Path) -> Path:
    """A party with a key pair; two people confirm its fingerprint."""
    identity = pyrage.x25519.Identity.generate()
    public, secret = folder / f"{party}.pub", folder / f"{party}.key"
    public.write_text(f"# {party}\n{identity.to_public()}\n")
    secret.write_text(f"{identity}\n")
    secret.chmod(0o400)
    office.must("recipients", "add", party, public)
    for person in ("ada", "carol"):
        office.must("recipients", "confirm", party, "--as", person)
    return secret


def test_every_key_that_is_made_stands_in_the_ledger(office: Office) -> None:
    new_study(office)
    made = {facts["key"] for event, facts in events_of(office) if event == "key-made"}
    there = {row["key"] for row in office.must("keys", "list")["keys"]}
    assert there - made == {"operator-ada-1", "operator-carol-1"}
    assert made <= there


def test_roots_of_two_epochs_are_independent_random_bytes(office: Office) -> None:
    first, second = new_study(office, "2026-1"), new_study(office, "2026-2")
    ring = ring_of(office)
    roots = [ring.secret(key, KeyKind.STUDY_ROOT) for key in (first, second)]
    assert len(set(roots)) == 2
    assert all(len(root) == 32 for root in roots)


def test_once_there_is_a_custodian_nobody_else_makes_keys(office: Office) -> None:
    new = ("keys", "new", "--kind", "controller", "--controller", "trafford-council")
    office.refused("operators/name-missing", 2, *new)
    office.refused("operators/not-permitted", 3, *new, "--as", "ada")
    office.refused("operators/unknown", 2, *new, "--as", "nobody")


def test_a_study_root_needs_its_epoch_and_its_study(office: Office) -> None:
    new = ("keys", "new", "--kind", "study", "--as", "carol")
    office.refused("keys/epoch-missing", 2, *new, "--study", "nis")
    office.refused("keys/owner-missing", 2, *new, "--epoch", "1")


def test_a_key_is_used_only_under_a_grant_for_this_purpose_policy_and_day(office: Office) -> None:
    key = new_study(office)
    grant = ("keys", "grant", key, "--purpose", "national-impact-study")
    office.must(*grant, "--policy", DIGEST, "--until", "2999-03-31", "--as", "carol")
    asked = {
        "purpose": "national-impact-study",
        "policy_digest": DIGEST,
        "on": dt.date(2999, 3, 31),
    }
    others = (
        {"purpose": "cost-benefit"},
        {"policy_digest": "cd" * 32},
        {"on": dt.date(2999, 4, 1)},
    )
    with database_of(office).begin() as connection:
        assert keyring_grants.require(connection, key, **asked).granted_by == "carol"
        for other in others:
            with pytest.raises(RefusedError, match="keys/no-grant"):
                keyring_grants.require(connection, key, **(asked | other))


def test_a_grant_for_the_past_or_of_a_digest_nobody_proposed_is_refused(office: Office) -> None:
    key = new_study(office)
    grant = ("keys", "grant", key, "--purpose", "p", "--as", "carol")
    office.refused("keys/grant-past", 2, *grant, "--policy", DIGEST, "--until", "2020-01-01")
    for digest in ("x", "cd" * 32):
        wrong = ("--policy", digest, "--until", "2999-01-01")
        office.refused("keys/unknown-policy", 2, *grant, *wrong)
    office.refused("keys/not-pending", 2, "keys", "confirm", key, "--check", "0", "--as", "ada")


def test_a_grant_written_past_the_gateway_lets_nothing_through(office: Office) -> None:
    key = new_study(office)
    grant = ("keys", "grant", key, "--purpose", "p", "--policy", DIGEST, "--until", "2999-01-01")
    office.must(*grant, "--as", "carol")
    with sqlite3.connect(office.data / "gateway.sqlite") as stored:
        stored.execute("UPDATE key_grants SET purpose = 'q'")
    with (
        database_of(office).begin() as connection,
        pytest.raises(RefusedError, match="keys/no-grant"),
    ):
        keyring_grants.require(
            connection, key, purpose="q", policy_digest=DIGEST, on=dt.date(2026, 1, 1)
        )


def test_a_root_travels_sealed_and_signed_and_counts_after_two_people_heard_the_check_value(
    office: Office, tmp_path: Path
) -> None:
    new_study(office)
    other = founded(tmp_path / "knowsley", name="knowsley-council")
    other.must("operators", "add", "dan", "--role", "custodian", "--as", "ada")
    identity = register_party(office, "knowsley-keys", tmp_path)
    file = tmp_path / "nis.offer"
    where = ("--study", "nis", "--epoch", "2026-1", "--to", "knowsley-keys", file)
    offered = office.must("keys", "offer", *where, "--as", "carol")
    signer = office.must("operators", "list")["operators"][1]["keys"][-1]["public"]
    root = ring_of(office).secret("study-nis-2026-1", KeyKind.STUDY_ROOT)
    assert root not in file.read_bytes()
    assert root.hex() not in file.read_text()

    accept = ("keys", "accept", file, "--key", identity)
    stranger = other.must("operators", "list")["operators"][0]["keys"][-1]["public"]
    other.refused("keys/offer-signature", 6, *accept, "--signer", stranger, "--as", "carol")
    pending = other.must(*accept, "--signer", signer, "--as", "carol")
    assert pending["state"] == "pending"
    with pytest.raises(RefusedError, match="keys/pending"):
        ring_of(other).secret("study-nis-2026-1", KeyKind.STUDY_ROOT)

    confirm = ("keys", "confirm", "study-nis-2026-1", "--check")
    other.refused("operators/same-person", 3, *confirm, offered["check"], "--as", "carol")
    other.refused("keys/check-differs", 6, *confirm, "0000-0000-0000-0000", "--as", "dan")
    assert other.must(*confirm, offered["check"].upper(), "--as", "dan")["state"] == "ready"
    assert ring_of(other).secret("study-nis-2026-1", KeyKind.STUDY_ROOT) == root


def test_one_changed_byte_of_an_offer_is_refused(office: Office, tmp_path: Path) -> None:
    new_study(office)
    identity = register_party(office, "knowsley-keys", tmp_path)
    file = tmp_path / "nis.offer"
    where = ("--study", "nis", "--epoch", "2026-1", "--to", "knowsley-keys", file)
    office.must("keys", "offer", *where, "--as", "carol")
    signer = office.must("operators", "list")["operators"][1]["keys"][-1]["public"]
    forged = tmp_path / "forged.offer"
    forged.write_text(file.read_text().replace('"2026-1"', '"2026-9"'))
    accept = ("--key", identity, "--signer", signer, "--as", "carol")
    office.refused("keys/offer-signature", 6, "keys", "accept", forged, *accept)
    forged.write_text(file.read_text()[:-20])
    office.refused("keys/not-an-offer", 4, "keys", "accept", forged, *accept)


def test_a_root_is_offered_only_to_a_key_that_two_people_confirmed(
    office: Office, tmp_path: Path
) -> None:
    new_study(office)
    public = tmp_path / "p.pub"
    public.write_text(str(pyrage.x25519.Identity.generate().to_public()))
    office.must("recipients", "add", "knowsley-keys", public)
    where = ("--study", "nis", "--epoch", "2026-1", "--to", "knowsley-keys", tmp_path / "o")
    office.must("recipients", "confirm", "knowsley-keys", "--as", "carol")
    again = ("recipients", "confirm", "knowsley-keys", "--as", "carol")
    office.refused("recipients/confirmed-before", 2, *again)
    office.refused("recipients/not-confirmed", 3, "keys", "offer", *where, "--as", "carol")
    assert not (tmp_path / "o").exists()


def test_after_destruction_no_token_can_be_made_again_with_all_that_is_left(
    office: Office, tmp_path: Path
) -> None:
    key = new_study(office)
    register_party(office, "knowsley-keys", tmp_path)
    where = ("--study", "nis", "--epoch", "2026-1", "--to", "knowsley-keys", tmp_path / "o")
    check = office.must("keys", "offer", *where, "--as", "carol")["check"]
    root = ring_of(office).secret(key, KeyKind.STUDY_ROOT)
    wrapped = (office.data / "keys" / f"{key}.json").read_bytes()
    sealed = load((tmp_path / "o").read_bytes()).sealed
    certificate = tmp_path / "certificate"

    destroyed = office.must("keys", "destroy", key, "--certificate", certificate, "--as", "carol")

    left = everything_under(office.data) + office.passphrase.read_bytes()
    for gone in (root, root.hex().encode(), wrapped, sealed, check.encode()):
        assert gone not in left
    ring = ring_of(office)
    for record in ring.records():
        secret = ring.secret(record.id, record.kind)[:32]
        assert secret != root
        # Nothing that stayed derives the root's check value, so nothing derives its tokens.
        assert check_value(secret, study="nis", epoch="2026-1") != check
    with pytest.raises(UsageError, match="keys/unknown"):
        ring.secret(key, KeyKind.STUDY_ROOT)
    assert "Destroyed here" in destroyed["certificate"]
    assert "knowsley-keys" in destroyed["certificate"]
    assert certificate.exists()
    assert ("key-destroyed", key) in {(e, f.get("key")) for e, f in events_of(office)}


def test_a_destroyed_key_is_neither_made_nor_granted_nor_used_again(office: Office) -> None:
    key = new_study(office)
    grant = ("--purpose", "p", "--policy", DIGEST, "--until", "2999-01-01", "--as", "carol")
    office.must("keys", "grant", key, *grant)
    office.must("keys", "destroy", key, "--as", "carol")
    new = ("keys", "new", "--kind", "study", "--study", "nis", "--epoch", "2026-1")
    office.refused("keys/destroyed", 3, *new, "--as", "carol")
    office.refused("keys/unknown", 2, "keys", "grant", key, *grant)
    with (
        database_of(office).begin() as connection,
        pytest.raises(RefusedError, match="keys/destroyed"),
    ):
        keyring_grants.require(
            connection, key, purpose="p", policy_digest=DIGEST, on=dt.date(2026, 1, 1)
        )


def test_a_destruction_cut_short_is_told_and_finished_by_repeating_it(office: Office) -> None:
    key = new_study(office)
    path = office.data / "keys" / f"{key}.json"
    kept = path.read_bytes()
    office.must("keys", "destroy", key, "--as", "carol")
    path.write_bytes(kept)  # as after a kill between the ledger entry and the shredding
    path.chmod(0o400)
    assert office.must("keys", "list")["destruction_unfinished"] == [key]
    office.must("keys", "destroy", key, "--as", "carol")
    assert not path.exists()
    ordered = [facts for event, facts in events_of(office) if event == "key-destroyed"]
    assert len(ordered) == 1


def test_a_destruction_is_certified_again_for_whoever_was_stopped_before(
    office: Office, tmp_path: Path
) -> None:
    key, certificate = new_study(office), tmp_path / "again"
    first = office.must("keys", "destroy", key, "--as", "carol")
    again = office.must("keys", "destroy", key, "--certificate", certificate, "--as", "carol")
    assert again["certificate"] == first["certificate"]
    assert json.loads(certificate.read_bytes())["certificate"] == first["certificate"]
    ordered = [facts for event, facts in events_of(office) if event == "key-destroyed"]
    assert len(ordered) == 1
    office.refused("keys/unknown", 2, "keys", "destroy", "study-other-1", "--as", "carol")


def test_destroying_a_storage_pair_makes_all_it_sealed_unreadable(office: Office) -> None:
    ring = ring_of(office)
    pair = ring.storage_recipient(dt.datetime.now(dt.UTC).date())
    sealed = pyrage.encrypt(b"rows", [pyrage.x25519.Recipient.from_str(pair.public)])
    identity = pyrage.x25519.Identity.from_str(ring.storage_identity(pair.key_id))
    assert pyrage.decrypt(sealed, [identity]) == b"rows"
    office.must("keys", "destroy", pair.key_id, "--as", "carol")
    for record in ring_of(office).records():
        if record.kind is KeyKind.STORAGE:
            other = pyrage.x25519.Identity.from_str(ring.storage_identity(record.id))
            with pytest.raises(pyrage.DecryptError):
                pyrage.decrypt(sealed, [other])
    made = office.must("keys", "new", "--kind", "storage", "--as", "carol")["keys"]
    assert [row["key"] for row in made] == [f"{pair.key_id}-2"]


def test_a_rotated_key_leaves_the_old_one_until_it_is_destroyed(office: Office) -> None:
    rotated = office.must("keys", "rotate", "package-signing-1", "--as", "carol")
    assert rotated["key"] == "package-signing-2"
    ring = ring_of(office)
    assert ring.signer("package-signing").key_id == "package-signing-2"
    assert len(ring.verifying_keys("package-signing")) == 2
    new_study(office)
    office.refused("keys/epoch-missing", 2, "keys", "rotate", "study-nis-2026-1", "--as", "carol")


def test_a_persons_key_is_not_rotated_and_not_destroyed_by_themselves(office: Office) -> None:
    rotate = ("keys", "rotate", "operator-carol-1", "--as", "carol")
    office.refused("keys/operator-not-rotated", 2, *rotate)
    own = ("keys", "destroy", "operator-carol-1", "--as", "carol")
    office.refused("operators/same-person", 3, *own)
    assert ring_of(office).sign_as("carol", b"still there")


def test_each_use_of_a_key_is_counted_in_the_ledger_and_not_by_who_granted_it(
    office: Office,
) -> None:
    key = new_study(office)
    grant = ("--purpose", "p", "--policy", DIGEST, "--until", "2999-01-01", "--as", "carol")
    office.must("keys", "grant", key, *grant)
    use = {"kind": "study", "count": 78000, "at": dt.datetime.now(dt.UTC), "release": "rel-1"}
    with database_of(office).begin() as connection:
        found = keyring_grants.require(
            connection, key, purpose="p", policy_digest=DIGEST, on=dt.date(2026, 1, 1)
        )
        with pytest.raises(RefusedError, match="operators/same-person"):
            record_use(connection, found, operator="carol", **use)
        record_use(connection, found, operator="rosa", **use)
    used = [facts for event, facts in events_of(office) if event == "key-used"]
    assert [(facts["key"], facts["count"], facts["operator"]) for facts in used] == [
        (key, 78000, "rosa")
    ]


def test_the_list_needs_no_passphrase_and_shows_no_secret(office: Office) -> None:
    new_study(office)
    root = ring_of(office).secret("study-nis-2026-1", KeyKind.STUDY_ROOT)
    office.passphrase.unlink()
    answer = office.run("keys", "list", "--json")
    assert answer.code == 0
    assert root.hex() not in answer.out
    assert "AGE-SECRET" not in answer.out
    office.refused("keys/unreadable", 7, "keys", "rotate", "link-map-1", "--as", "carol")


def test_a_new_passphrase_opens_every_key_and_the_old_one_none(
    office: Office, tmp_path: Path
) -> None:
    key = new_study(office)
    before = ring_of(office).secret(key, KeyKind.STUDY_ROOT)
    change = ("keys", "passphrase", "--new-file", tmp_path / "next")
    office.refused("operators/name-missing", 2, *change)
    told = office.must(*change, "--as", "carol")
    assert told["generated"]
    assert told["keys"] == len(office.must("keys", "list")["keys"])
    office.refused(
        "keys/wrong-passphrase", 7, "keys", "rotate", "package-signing-1", "--as", "carol"
    )
    office.passphrase.chmod(0o600)
    office.passphrase.write_bytes((tmp_path / "next").read_bytes())
    office.passphrase.chmod(0o400)
    assert ring_of(office).secret(key, KeyKind.STUDY_ROOT) == before
    (entry,) = [facts for event, facts in events_of(office) if event == "passphrase-changed"]
    assert entry["operator"] == "carol"


def test_a_weak_new_passphrase_changes_nothing(office: Office, tmp_path: Path) -> None:
    weak = tmp_path / "weak"
    weak.write_text("short\n")
    weak.chmod(0o400)
    change = ("keys", "passphrase", "--new-file", weak, "--as", "carol")
    office.refused("keys/weak-passphrase", 7, *change)
    assert "passphrase-changed" not in {event for event, _ in events_of(office)}
    office.must("keys", "rotate", "package-signing-1", "--as", "carol")
