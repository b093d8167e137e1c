"""A preview says what a change will do, and what comes is what it said: row for row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import preview_memory, release_memory
from gateway.adapters.keyring import open_ring
from gateway.adapters.preview_memory import Sealed
from gateway.adapters.release_memory import Remembered
from gateway.adapters.settings import read_settings
from gateway.model.keys import KeyKind
from tests.journeys import borough
from tests.journeys.borough import AGREEMENT, SHARE, STUDY
from tests.journeys.office import Office

SIZE = 4_000
DOCUMENT = "agreements/trafford.toml"

Change = Callable[[str], str]


def instead(old: str, new: str) -> Change:
    """The text with one thing changed, of the study's purpose, which comes first."""

    def changed(text: str) -> str:
        assert old in text, old
        return text.replace("version = 3", "version = 4", 1).replace(old, new, 1)

    return changed


FIELDS = 'criteria_met = { treat = "keep", clause = "4.2(c)iii" }'
DRAFTS = {
    "a field is added": instead(
        FIELDS, FIELDS + '\nprogramme_arm = { treat = "keep", clause = "4.2(c)iv" }'
    ),
    "a field is coarsened": instead('"age-band-5", at', '"age-band-10", at'),
    "k is raised": instead("k = 5", "k = 12"),
    "a field is removed": instead(
        'district     = { from = "postcode", treat = "postcode-district", clause = "4.2(c)ii" }\n',
        "",
    ),
    "consent is asked for": instead('participation = "objection"', 'participation = "consent"'),
    "the whole family is left out": instead('"drop-person"', '"drop-family"'),
}


def without_district(text: str) -> str:
    """What names a removed field goes with it."""
    return text.replace('"age_band", "sex", "district"]', '"age_band", "sex"]', 1).replace(
        'coarsen = [{ field = "district", treat = "postcode-area" }]', "", 1
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office that has made its first release."""
    people = borough.borough(tmp_path_factory.mktemp("people"), SIZE)
    made = borough.ready(tmp_path_factory.mktemp("preview") / "office", people)
    with made.open():
        objections = ("object", "--purpose", STUDY, "--file", str(people / "objections.csv"))
        made.must(*objections)
        assert made.ask(*SHARE, "--to", str(made.home / "outbox"))["state"] == "forwarded"
    return made


@pytest.fixture
def office(template: Office, tmp_path: Path) -> Iterator[Office]:
    made = borough.copied(template, tmp_path / "office")
    with made.open():
        yield made


def drafted(office: Office, change: Change) -> Path:
    """The agreement with a change, where its file lies."""
    path = office.policies / DOCUMENT
    text = change(path.read_text("utf-8"))
    if "district     =" not in text.split("[purposes.national-progress-study]")[0]:
        text = without_district(text)
    path.write_text(text, "utf-8")
    return path


def previewed(office: Office, file: Path, editor: str = "edith") -> dict[str, Any]:
    told: dict[str, Any] = office.ask(
        *("policy", "preview", str(file), "--agreement", AGREEMENT, "--as", editor)
    )
    return told


def of_study(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in told["purposes"] if each["purpose"] == STUDY)
    return found


def secret(office: Office) -> bytes:
    settings = read_settings(office.data, environ=office.environment())
    return open_ring(settings).symmetric(KeyKind.SUBJECT_INDEX).secret


def sealed(office: Office, preview: str) -> Sealed:
    path = office.data / "previews" / f"{preview}.pre"
    return next(
        each for each in preview_memory.read_preview(path, secret(office)) if each.purpose == STUDY
    )


def remembered(office: Office) -> list[Remembered]:
    files = sorted((office.data / "memories").glob("*.mem"), key=lambda path: path.stat().st_mtime)
    return [release_memory.read_memory(path, path.stem, secret(office)) for path in files]


@pytest.mark.parametrize("kind", DRAFTS)
def test_what_comes_is_what_the_preview_said(office: Office, kind: str) -> None:
    file = drafted(office, DRAFTS[kind])
    exact = sealed(office, previewed(office, file)["preview"])
    office.must("policy", "propose", str(file), "--as", "edith")
    digest = office.ask("policy", "approve", AGREEMENT, "--as", "april")["policy_digest"]
    office.grant("study-nis-2026-1", STUDY, digest)
    told = office.run(*SHARE, "--to", str(office.home / "outbox"), "--json").document
    if told["state"] == "held":
        office.must("accept", told["release"], "--reason", "As previewed.", "--as", "april")
        told = office.ask(*SHARE, "--to", str(office.home / "outbox"))
    assert told["state"] == "forwarded", told
    before, after = remembered(office)
    assert exact.equals(before, after)
    assert not exact.equals(after, before)
