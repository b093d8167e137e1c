"""A preview says what a change will do, and what comes is what it said: row for row."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.adapters import dry_runs, ledger_store, preview_memory, release_memory
from gateway.adapters.database import Database
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
COHORT = "programme-and-comparison"

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


def renamed(name: str) -> Change:
    """The study as a new purpose, under a name that nobody has asked about yet."""
    return lambda text: text.replace("version = 3", "version = 4", 1).replace(
        f"[purposes.{STUDY}", f"[purposes.{name}"
    )


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
    released(office)
    before, after = remembered(office)
    assert exact.equals(before, after)
    assert not exact.equals(after, before)


def test_a_preview_opens_no_key_is_recorded_and_ten_a_day_are_enough(office: Office) -> None:
    file = drafted(office, DRAFTS["a field is added"])
    uses = ledger(office, "key-used")
    told = previewed(office, file)
    assert of_study(told)["new_fields"] == ["programme_arm"]
    assert ledger(office, "key-used") == uses
    (entry,) = ledger(office, "policy-previewed")
    assert entry["preview"] == told["preview"]
    assert [each["purpose"] for each in ledger(office, "dry-run")] == [STUDY]
    with_database(office, lambda connection: fill_the_day(connection, dry_runs.A_DAY - 1))
    no = office.run("policy", "preview", str(file), "--as", "edith", "--json")
    assert (no.code, no.document["error"]["code"]) == (3, "sharing/too-many-dry-runs")


def test_a_new_purpose_has_no_previews_of_its_own_but_those_of_its_people(office: Office) -> None:
    """Else whoever wants an eleventh answer gives the question another name."""
    with_database(office, lambda connection: connection.execute(dry_runs.DRY_RUNS.delete()))
    told = previewed(office, drafted(office, renamed("study-by-another-name")))
    states = {each["purpose"]: each["state"] for each in told["purposes"]}
    assert states["study-by-another-name"] == "changed"
    asked = with_database(
        office, lambda c: c.execute(sa.select(dry_runs.DRY_RUNS)).mappings().all()
    )
    new = [each for each in asked if each["purpose"] != STUDY]
    assert [(each["agreement"], each["purpose"]) for each in new] == [("", COHORT)]
    row = {key: value for key, value in new[0].items() if key != "id"}
    times = dry_runs.A_DAY - 1
    with_database(office, lambda c: c.execute(sa.insert(dry_runs.DRY_RUNS), [row] * times))
    again = drafted(office, renamed("study-by-a-third-name"))
    no = office.run("policy", "preview", str(again), "--as", "edith", "--json")
    assert (no.code, no.document["error"]["code"]) == (3, "sharing/too-many-dry-runs")


def test_other_purposes_are_not_read_and_counts_are_tens(office: Office) -> None:
    told = previewed(office, drafted(office, DRAFTS["k is raised"]))
    states = {each["purpose"]: each["state"] for each in told["purposes"]}
    assert states.pop(STUDY) == "changed"
    assert set(states.values()) == {"the-same"}
    impact = of_study(told)["impact"]
    for moved in (impact["people"], impact["families"]):
        for each in (*moved["total"].values(), moved["gained"], moved["lost"]):
            assert each == "<10" or int(each) % 10 == 0, each
    (payload,) = (each for each in impact["outputs"] if each["output"] == "payload")
    assert (payload["k_before"], payload["k_after"]) == ("5 or more", "12 or more")
    assert int(payload["small_groups"]["difference"]) > 0


def test_a_draft_that_changes_a_cohort_is_refused_a_preview(office: Office) -> None:
    vocabulary = office.policies / "vocabulary.toml"
    text = vocabulary.read_text("utf-8")
    assert '["PROG", "COMP"]' in text
    vocabulary.write_text(text.replace('["PROG", "COMP"]', '["COMP"]'), "utf-8")
    no = office.run(
        *("policy", "preview", str(vocabulary), "--agreement", AGREEMENT),
        *("--as", "edith", "--json"),
    )
    assert (no.code, no.document["error"]["code"]) == (3, "policy/preview-cohort")
    assert not ledger(office, "dry-run")


@pytest.mark.parametrize("who", ["rosa", "april", "kit"])
def test_nobody_but_an_editor_previews(office: Office, who: str) -> None:
    file = drafted(office, DRAFTS["k is raised"])
    no = office.run("policy", "preview", str(file), "--as", who, "--json")
    assert (no.code, no.document["error"]["code"]) == (3, "operators/not-permitted")


def test_an_auditor_proves_it_and_a_changed_file_proves_nothing(office: Office) -> None:
    office.must("operators", "add", "aude", "--role", "auditor", "--as", "ada")
    file = drafted(office, DRAFTS["a field is coarsened"])
    preview = previewed(office, file)["preview"]
    office.must("policy", "propose", str(file), "--as", "edith")
    digest = office.ask("policy", "approve", AGREEMENT, "--as", "april")["policy_digest"]
    office.grant("study-nis-2026-1", STUDY, digest)
    released(office)
    before, after = (each.release for each in remembered(office))
    words = ("policy", "prove-preview", preview, "--before", before, "--after")
    assert office.ask(*words, after, "--as", "aude")["holds"] is True
    assert office.run(*words, before, "--as", "aude", "--json").code == 3
    assert office.run(*words, after, "--as", "edith", "--json").code == 3
    path = office.data / "previews" / f"{preview}.pre"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    no = office.run(*words, after, "--as", "aude", "--json")
    assert no.document["error"]["code"] == "policy/preview-not-recorded"


def test_the_review_knows_how_many_people_are_stored(office: Office) -> None:
    finer = instead('treat = "age-band-5", at = 2026-04-01', 'treat = "month"')
    file = drafted(office, finer)
    told = office.ask("policy", "review", str(file), "--agreement", AGREEMENT)["remarks"]
    (found,) = (
        each for each in told if (each["code"], each["purpose"]) == ("lint/k-out-of-reach", STUDY)
    )
    assert "age_band" in found["sentence"]
    new = {each["sentence"] for each in previewed(office, file)["remarks"]}
    assert found["sentence"] in new


def released(office: Office) -> None:
    """Make the release; accept it where it is held because it is unusual."""
    words = (*SHARE, "--to", str(office.home / "outbox"))
    told = office.run(*words, "--json").document
    if told["state"] == "held":
        office.must("accept", told["release"], "--reason", "As previewed.", "--as", "april")
        told = office.ask(*words)
    assert told["state"] == "forwarded", told


def with_database(office: Office, act: Callable[[sa.Connection], Any]) -> Any:
    database = Database(f"sqlite:///{office.data / 'gateway.sqlite'}")
    with database.begin() as connection:
        found = act(connection)
    database.close()
    return found


def ledger(office: Office, event: str) -> list[dict[str, Any]]:
    return with_database(
        office,
        lambda connection: [
            dict(entry.facts) for _, entry in ledger_store.entries(connection, event=event)
        ],
    )


def fill_the_day(connection: sa.Connection, times: int) -> None:
    """As if the same question had been asked so many times more."""
    row = dict(connection.execute(sa.select(dry_runs.DRY_RUNS)).mappings().one())
    del row["id"]
    connection.execute(sa.insert(dry_runs.DRY_RUNS), [row] * times)


def test_a_file_of_an_earlier_form_stops_no_preview_and_is_gone_after_a_year(
    office: Office,
) -> None:
    folder = office.data / "previews"
    folder.mkdir(mode=0o700, exist_ok=True)
    young, old = folder / "pre-young.pre", folder / "pre-old.pre"
    for path in (young, old):
        path.write_bytes(b"\x00\x01of an earlier form, without a day")
    long_ago = young.stat().st_mtime - 400 * 86_400
    os.utime(old, (long_ago, long_ago))
    assert previewed(office, drafted(office, DRAFTS["k is raised"]))["preview"]
    assert young.exists()
    assert not old.exists()
