"""The auditor proves it a year later, whatever has happened to the office since.

One year, lived by real processes whose clock is moved: a release, the next month's, a
revised agreement, rotated keys, the agreement's end, sources destroyed by retention.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway import standalone
from gateway.ledger import PROMISES
from tests import moved_clock
from tests.journeys import borough
from tests.journeys.borough import AGREEMENT, SHARE, STUDY
from tests.journeys.office import Office

SIZE = 2_000
KEPT_DAYS = 200
YEAR = 380
STUDY_KEY = "study-nis-2026-1"
CHECKPOINT = ("ledger", "checkpoint", "--as", "ada")


@dataclass
class Year:
    """An office after its year, and what left it when."""

    office: Office
    releases: dict[str, str]
    purged: dict[str, int]
    ended: dict[str, Any]
    first_trust: Path


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    people = borough.borough(tmp_path_factory.mktemp("people"), SIZE)
    office, digest = founded(tmp_path_factory.mktemp("year") / "office", people)
    trust = office.trust().rename(office.home / "first-trust.json")
    releases = {"the first month": share(office, 0)}
    receive_again(office, 31, people)
    releases["the next month"] = share(office, 31, grant=digest)
    revised = revise(office, 62)
    releases["after a revision"] = share(office, 62, grant=revised)
    rotate(office, 70)
    releases["after new keys"] = share(office, 71, grant=revised)
    (purge,) = moved_clock.done(office, 62 + KEPT_DAYS, ("purge", "--json"))
    ended, _ = moved_clock.later(office, YEAR, (*SHARE, "--json"), CHECKPOINT)
    return Year(office, releases, purge.document, ended.document, trust)


def founded(home: Path, people: Path) -> tuple[Office, str]:
    """An office whose sources are kept for less than a year, and its policy's digest."""
    home.mkdir(mode=0o700, parents=True)
    policies = borough.policies_in_time(home / "policies")
    for document in policies.glob("datasets/*.toml"):
        text = re.sub(
            r'^retention = "\d+d"',
            f'retention = "{KEPT_DAYS}d"',
            document.read_text("utf-8"),
            flags=re.M,
        )
        document.write_text(text, "utf-8")
    office = Office(home, policies=policies)
    office.found(controllers=("trafford-council",), recipients=(borough.UNIT, borough.RESEARCH))
    with office.open():
        office.must("operators", "add", "aude", "--role", "auditor", "--as", "ada")
        digest = borough.permit_study(office)
        for dataset, party in borough.EXTRACTS:
            borough.receive(office, people / f"{dataset}.csv", dataset, party)
    return office, digest


def share(office: Office, days: int, grant: str = "") -> str:
    """Make a release on a day; its id."""
    until = str(moved_clock.day_after(days + 20))
    leave = ("keys", "grant", STUDY_KEY, "--purpose", STUDY, "--policy", grant)
    before = [(*leave, "--until", until, "--as", "kit")] if grant else []
    words = (*SHARE, "--to", str(office.home / "outbox"), "--json")
    told = moved_clock.later(office, days, *before, words)[-1].document
    if told["state"] == "held":
        accept = ("accept", told["release"], "--reason", "It is as expected.", "--as", "april")
        told = moved_clock.done(office, days, accept, words)[-1].document
    assert told["state"] == "forwarded", told
    return str(told["release"])


def receive_again(office: Office, days: int, people: Path) -> None:
    """The next month's extracts: the same people, their rows in another order."""
    for dataset, party in borough.EXTRACTS:
        rows = borough.rows_of(people / f"{dataset}.csv")
        file = borough.write_rows(office.home / f"{dataset}.csv", rows[::-1])
        moved_clock.done(
            office, days, ("receive", str(file), "--dataset", dataset, "--from", party)
        )


def revise(office: Office, days: int) -> str:
    """A coarser age, proposed and approved as another version; its policy digest."""
    path = office.policies / "agreements" / "trafford.toml"
    text = path.read_text("utf-8")
    assert '"age-band-5", at' in text
    changed = text.replace('"age-band-5", at', '"age-band-10", at', 1)
    path.write_text(changed.replace("version = 3", "version = 4", 1), "utf-8")
    propose = ("policy", "propose", str(path), "--as", "edith")
    approve = ("policy", "approve", AGREEMENT, "--as", "april", "--json")
    return str(moved_clock.done(office, days, propose, approve)[-1].document["policy_digest"])


def rotate(office: Office, days: int) -> None:
    """Successors of the keys that sign packages and checkpoints."""
    (listed,) = moved_clock.done(office, days, ("keys", "list", "--json"))
    signing = [each["key"] for each in listed.document["keys"] if "signing" in each["kind"]]
    assert signing
    words = [("keys", "rotate", key, "--as", "kit") for key in signing]
    moved_clock.done(office, days, *words, CHECKPOINT)


def proof(year: Year, release: str) -> tuple[int, dict[str, Any]]:
    """The proof of a release, asked for when the year is over."""
    file = year.office.home / f"{release}.json"
    (told,) = moved_clock.later(year.office, YEAR, ("prove", release, "--to", str(file)))
    return told.code, dict(json.loads(file.read_bytes()))


RELEASES = ["the first month", "the next month", "after a revision", "after new keys"]


def test_the_year_was_one(year: Year) -> None:
    """What a proof has to survive did happen."""
    assert year.purged["extracts"] == 2 * len(borough.EXTRACTS)
    assert year.purged["storage_keys"] >= 1
    assert not list((year.office.data / "extracts").glob("*.age"))
    assert "sharing/agreement-ended" in json.dumps(year.ended), year.ended


@pytest.mark.parametrize("when", RELEASES)
def test_every_promise_of_every_release_is_kept_or_not_yet_due(year: Year, when: str) -> None:
    code, told = proof(year, year.releases[when])
    outcomes = {each["promise"]: each["outcome"] for each in told["verdicts"]}
    assert set(outcomes) == set(PROMISES)
    assert outcomes.pop("destroyed") == "not-yet"
    assert set(outcomes.values()) == {"kept"}, told["verdicts"]
    assert code == 0
    assert told["asked"] == str(moved_clock.day_after(YEAR))


@pytest.mark.parametrize("when", RELEASES)
def test_an_outsider_verifies_it(year: Year, when: str, tmp_path: Path) -> None:
    (trust,) = moved_clock.done(year.office, YEAR, ("trust", "export"))
    code, told = verified(proof(year, year.releases[when])[1], trust.out, tmp_path)
    assert (code, told["ok"]) == (0, True), told
    assert set(told["promises"]) == set(PROMISES)


def test_keys_that_came_later_need_the_newest_trust_file(year: Year, tmp_path: Path) -> None:
    _, told = proof(year, year.releases["the first month"])
    code, answer = verified(told, year.first_trust.read_text("utf-8"), tmp_path)
    assert code == 6
    assert "a key that the trust file does not list" in answer["fault"]


def verified(proof: dict[str, Any], trust: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """What the stand-alone verifier says, in a folder that holds nothing else."""
    (folder / "proof.json").write_text(json.dumps(proof))
    (folder / "trust.json").write_text(trust)
    for name in ("verify_release.py", "verify_promises.py", "verify_ledger.py"):
        shutil.copy(Path(standalone.__file__).with_name(name), folder)
    done = subprocess.run(
        [sys.executable, "verify_release.py", "proof.json", "--trust", "trust.json"],
        cwd=folder,
        env=moved_clock.environment(YEAR),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout)


def test_two_years_later_what_nobody_certified_is_broken(year: Year, tmp_path: Path) -> None:
    release = year.releases["the first month"]
    # A checkpoint of a later day stays out of what the other tests ask for.
    office = borough.copied(year.office, tmp_path / "office")
    checkpoint, told = moved_clock.later(office, 800, CHECKPOINT, ("prove", release, "--json"))
    assert checkpoint.code == 0
    assert told.code == 6
    broken = {e["promise"] for e in told.document["verdicts"] if e["outcome"] == "broken"}
    assert broken == {"destroyed"}


def test_the_ledger_is_whole(year: Year) -> None:
    moved_clock.done(year.office, YEAR, ("ledger", "verify"))


PAGE = """
import json, sys
from pathlib import Path
from gateway.adapters.web_keys import open_web_keys
from gateway.web import create_app
from gateway.web.desk import desk_of
from tests.journeys.office import Office
from tests.web import office as offices
import datetime as dt
told = json.load(sys.stdin)
office = Office(Path(told["home"]), policies=Path(told["policies"]))
settings = offices.settings_of(office)
app = create_app(settings, passwords=offices.CHEAP)
at = dt.datetime.now(dt.UTC)
key = open_web_keys(settings, at=at).subkey("second-factor")
with desk_of(app).database.begin() as connection:
    offices.account(connection, "aude", key, at)
browser = offices.signed_in(app, "aude")
found = {}
for path in told["paths"]:
    answer = browser.get(path)
    found[path] = [answer.status_code, answer.get_data(as_text=True)]
desk_of(app).database.close()
json.dump(found, sys.stdout)
"""


def test_the_pages_of_every_release_and_proof_open(year: Year) -> None:
    paths = [f"/releases/{id_}{part}" for id_ in year.releases.values() for part in ("", "/proof")]
    paths += ["/audit", f"/agreements/{AGREEMENT}", f"/agreements/{AGREEMENT}/versions"]
    told = {"home": str(year.office.home), "policies": str(year.office.policies), "paths": paths}
    found = json.loads(moved_clock.python(PAGE, YEAR, given=json.dumps(told)))
    assert {path: code for path, (code, _) in found.items() if code != 200} == {}
    for path, (_, text) in found.items():
        if path.endswith("/proof"):
            assert "Only the minimum necessary is shared." in text
            assert "Broken" not in text
