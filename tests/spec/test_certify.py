"""`gateway certify`: an analyst without a gateway certifies, and the council's believes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys import borough
from tests.journeys.office import Office

SIZE = 1_500


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, Path]:
    """A council that has shared its study into a folder; nobody changes it."""
    people = borough.borough(tmp_path_factory.mktemp("people"), SIZE)
    office = borough.ready(tmp_path_factory.mktemp("certify") / "office", people)
    with office.open():
        office.must(*borough.SHARE, "--to", str(office.home / "outbox"))
    return office, office.home / "outbox"


@pytest.fixture
def study(shared: tuple[Office, Path], tmp_path: Path) -> tuple[Office, str, Path]:
    """A copy of the council, the id of the researchers' package, and what they opened."""
    office = borough.copied(shared[0], tmp_path / "office")
    (package,) = (shared[1] / borough.RESEARCH).glob("*.gwp")
    key = shared[0].home / borough.RESEARCH / "recipient.key"
    to = tmp_path / "study"
    words = ("open", str(package), "--key", str(key), "--trust", str(office.trust()))
    office.must(*words, "--to", str(to), "--state", str(tmp_path))
    return office, package.stem, to


@pytest.fixture
def certified(study: tuple[Office, str, Path], tmp_path: Path) -> Callable[..., Path]:
    """The analyst destroys the data and certifies; the file that they send."""
    office, _, to = study

    def certify(name: str = borough.RESEARCH, keys: str = "keys", *more: str) -> Path:
        folder, file = tmp_path / keys, tmp_path / f"{keys}.certificate"
        office.must("recipient-key", "signing", "--name", name, "--to", str(folder))
        (to / "data.csv").unlink(missing_ok=True)
        (to / "data.parquet").unlink(missing_ok=True)
        words = ("certify", str(to / "manifest.json"), "--key", str(folder / "signing.key"))
        office.must(*words, "--to", str(file), *more)
        return file

    return certify


def trust(office: Office, keys: Path) -> None:
    descriptor = str(keys / "signing-trust.json")
    with office.open():
        office.must("deliveries", "trust", borough.RESEARCH, descriptor, "--as", "ada")


def test_one_command_certifies_and_the_council_writes_it_down(
    study: tuple[Office, str, Path], certified: Callable[..., Path], tmp_path: Path
) -> None:
    office, package, _ = study
    file = certified()
    taking = ("duties", "certificate", package, str(file))
    assert "delivery/no-descriptor" in office.run(*taking).err
    trust(office, tmp_path / "keys")
    told = office.ask(*taking)
    assert told["certified"]
    assert office.ask(*taking) == told
    release = office.ask("releases", told["release"])
    (ours,) = [each for each in release["packages"] if each["package"] == package]
    assert (ours["duty"], ours["certificate_digest"]) == ("done", told["certificate_digest"])
    assert (
        f"certified: unreadable after {told['unreadable_after']}"
        in office.must("releases", told["release"]).out
    )


def test_nothing_is_certified_while_the_data_lies_beside_the_manifest(
    study: tuple[Office, str, Path], tmp_path: Path
) -> None:
    office, _, to = study
    words = ("recipient-key", "signing", "--name", borough.RESEARCH, "--to", str(tmp_path / "k"))
    office.must(*words)
    key = str(tmp_path / "k" / "signing.key")
    refused = office.run("certify", str(to / "manifest.json"), "--key", key)
    assert (refused.code, "duties/still-there" in refused.err) == (2, True)
    assert refused.out == ""


def test_days_that_cannot_be_are_refused(
    study: tuple[Office, str, Path], certified: Callable[..., Path], tmp_path: Path
) -> None:
    office, _, to = study
    certified()
    words = ("certify", str(to / "manifest.json"), "--key", str(tmp_path / "keys" / "signing.key"))
    for days in (
        ("--destroyed", "2999-01-01"),
        ("--destroyed", "2026-01-02", "--unreadable-after", "2026-01-01"),
    ):
        assert "duties/days" in office.run(*words, *days).err


def test_a_strangers_certificate_is_refused_like_any_other(
    study: tuple[Office, str, Path], certified: Callable[..., Path], tmp_path: Path
) -> None:
    office, package, _ = study
    certified()
    trust(office, tmp_path / "keys")
    forged = certified(keys="others")
    refused = office.run("duties", "certificate", package, str(forged))
    assert (refused.code, "duties/certificate-refused" in refused.err) == (6, True)
    other = package.replace("payload", "linkage")
    refused = office.run("duties", "certificate", other, str(tmp_path / "keys.certificate"))
    assert refused.code != 0
    assert office.ask("duties", "list", "--overdue")["duties"] == []


def test_what_is_no_key_and_no_manifest_is_refused_by_name(
    study: tuple[Office, str, Path], certified: Callable[..., Path], tmp_path: Path
) -> None:
    office, _, to = study
    file = certified()
    key = tmp_path / "keys" / "signing.key"
    assert key.stat().st_mode & 0o077 == 0
    file.chmod(0o400)
    words = ("certify", str(to / "manifest.json"), "--key", str(file))
    assert "recipient-key/not-a-signing-key" in office.run(*words).err
    for content in (b"{}", b"[1]", json.dumps({"package": "x"}).encode(), b"\xff"):
        broken = tmp_path / "broken.json"
        broken.write_bytes(content)
        told = office.run("certify", str(broken), "--key", str(key))
        assert "duties/manifest-form" in told.err
    again = office.run("recipient-key", "signing", "--name", "x", "--to", str(key.parent))
    assert again.code == 2
    assert (
        "recipient-key/name"
        in office.run("recipient-key", "signing", "--name", "a b", "--to", str(tmp_path / "n")).err
    )
