"""A command that died after its release was recorded, and is given again: one release, not two.

Source: security point 15; docs/adr/0333; docs/how-to/share.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters import release_owed, release_world
from tests.faults import kills, soundness
from tests.faults.test_together import object_now
from tests.journeys import borough
from tests.journeys.office import Answer, Office


class Died(BaseException):
    """The process is gone: nothing catches this."""


Dies = Callable[..., str]


@pytest.fixture
def dies(office: Office, outbox: Path, monkeypatch: pytest.MonkeyPatch) -> Dies:
    """Let a release be recorded and its process die after so many packages; its id."""

    def die(after: int = 0, to: Path = outbox) -> str:
        forward, left = release_world.forward_to_folder, iter(range(after))

        def forwarding(*given: Any, **named: Any) -> Path:
            if next(left, None) is None:
                raise Died
            return forward(*given, **named)

        with monkeypatch.context() as patch:
            patch.setattr(release_world, "forward_to_folder", forwarding)
            with pytest.raises(Died):
                office.run(*borough.SHARE, "--to", str(to))
        return next(name for name, state in states(office).items() if state == "recorded")

    return die


def states(office: Office) -> dict[str, str]:
    return {row["id"]: row["state"] for row in soundness.table(office, soundness.RELEASES)}


def share(office: Office, outbox: Path) -> Answer:
    return office.run(*borough.SHARE, "--to", str(outbox), "--json")


def about(release: str, told: dict[str, Any]) -> list[str]:
    """What an answer says of a release that was recorded before."""
    return [note for note in told["warnings"] if release in note]


@pytest.mark.parametrize("after", [0, 1])
def test_the_same_command_finishes_that_release_and_makes_no_other(
    office: Office, outbox: Path, dies: Dies, after: int
) -> None:
    before = dies(after)
    told = share(office, outbox).document
    assert (told["release"], told["state"], told["resumed"]) == (before, "forwarded", True)
    assert states(office) == {before: "forwarded"}
    (note,) = told["warnings"]
    assert before in note
    assert "nothing new was made. Run it again for a new one." in note
    soundness.check_outbox(office, outbox)
    soundness.check_nothing_half_done(office, outbox)
    anew = share(office, outbox).document
    assert anew["release"] != before
    assert (anew["resumed"], about(before, anew)) == (False, [])


def test_its_answer_is_the_one_that_was_owed(office: Office, outbox: Path, dies: Dies) -> None:
    dies()
    told, anew = share(office, outbox).document, share(office, outbox).document
    differ = {"release", "packages", "warnings", "resumed"}
    assert {k: v for k, v in told.items() if k not in differ} == {
        k: v for k, v in anew.items() if k not in differ
    }
    same = ("output", "recipient", "rows")
    assert [[p[name] for name in same] for p in told["packages"]] == [
        [p[name] for name in same] for p in anew["packages"]
    ]
    assert all(Path(package["path"]).exists() for package in told["packages"])


def test_people_are_told_that_nothing_new_was_made(
    office: Office, outbox: Path, dies: Dies
) -> None:
    before = dies()
    said = office.must(*borough.SHARE, "--to", str(outbox)).out
    assert said.startswith(f"Forwarded: {before}\n")
    assert f"Note: The release {before} was recorded by a command that did not" in said


def test_a_command_that_died_before_it_answered_answers_when_it_is_given_again(
    office: Office, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unheard(_database: Any, _release: str) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(release_owed, "answered", unheard)
        with pytest.raises(Died):
            share(office, outbox)
    ((before, state),) = states(office).items()
    assert state == "forwarded"
    told = share(office, outbox).document
    assert (told["release"], told["resumed"]) == (before, True)
    assert states(office) == {before: "forwarded"}


def test_a_release_that_another_run_forwarded_is_still_the_answer(
    office: Office, outbox: Path, tmp_path: Path, dies: Dies
) -> None:
    before = dies()
    other = share(office, tmp_path / "elsewhere").document
    assert (other["release"] != before, other["resumed"]) == (True, False)
    (note,) = about(before, other)
    assert note.startswith(f'The release {before} of "{borough.STUDY}"')
    assert note.endswith("is forwarded now, too.")
    told = share(office, outbox).document
    assert (told["release"], told["resumed"]) == (before, True)
    assert len(states(office)) == 2


def test_the_release_of_another_officer_swallows_nothing(
    office: Office, outbox: Path, dies: Dies
) -> None:
    before = dies()
    with soundness.changed(office, soundness.RELEASES) as (connection, releases):
        connection.execute(releases.update().values(officer="olga"))
    told = share(office, outbox).document
    assert told["release"] != before
    assert len(about(before, told)) == 1
    assert set(states(office).values()) == {"forwarded"}
    soundness.check_nothing_half_done(office, outbox)


@pytest.fixture
def person(people: Path) -> dict[str, str]:
    rows = borough.rows_of(people / "family_register.csv")
    return next(row for row in rows if row["nhs_number"])


def test_an_objection_that_came_since_makes_it_anew(
    office: Office, outbox: Path, dies: Dies, person: dict[str, str]
) -> None:
    before = dies()
    object_now(office, person)
    told = share(office, outbox).document
    assert (told["state"], told["resumed"]) == ("forwarded", False)
    assert states(office) == {before: "withdrawn", told["release"]: "forwarded"}
    (note,) = about(before, told)
    assert "is withdrawn" in note
    soundness.check_outbox(office, outbox)
    assert len(list(outbox.rglob("*.gwp"))) == len(told["packages"])


def test_an_objection_after_a_part_has_left_is_left_to_a_person(
    office: Office, outbox: Path, dies: Dies, person: dict[str, str]
) -> None:
    before = dies(1)
    object_now(office, person)
    answer = share(office, outbox)
    told = answer.document
    assert (answer.code, told["state"], told["release"]) == (5, "held", before)
    assert told["refusal"][0]["code"] == "release/register-moved"
    assert len(told["packages"]) == 1
    assert states(office) == {before: "held"}
    again = share(office, outbox).document
    assert (again["state"], again["resumed"]) == ("forwarded", False)


def test_people_are_told_which_part_had_left_of_what_is_held(
    office: Office, outbox: Path, dies: Dies, person: dict[str, str]
) -> None:
    dies(1)
    object_now(office, person)
    answer = office.run(*borough.SHARE, "--to", str(outbox))
    assert answer.code == 5
    first, left, place, why, *_ = answer.out.splitlines()
    assert first == "Held: the rest does not leave."
    (package,) = outbox.rglob("*.gwp")
    assert left.startswith("Has left: ")
    assert left.endswith(" rows")
    assert place == f"  {package}"
    assert why.startswith("release/register-moved: ")


def test_a_release_whose_outbox_stays_out_of_reach_is_not_made_twice(
    office: Office, outbox: Path
) -> None:
    outbox.mkdir()
    blocked = outbox / kills.borough.RESEARCH
    blocked.write_bytes(b"a file where the folder should be")
    for _ in range(2):
        answer = share(office, outbox)
        assert (answer.code, answer.document["error"]["code"]) == (7, "release/not-forwarded")
    ((before, state),) = states(office).items()
    assert state == "recorded"
    blocked.unlink()
    assert share(office, outbox).document["release"] == before


def test_somebody_who_may_not_share_any_more_gets_no_answer(
    office: Office, outbox: Path, dies: Dies
) -> None:
    dies()
    office.must("operators", "revoke", "rosa", "--role", "release-officer", "--as", "ada")
    answer = share(office, outbox)
    assert (answer.code, answer.document["state"], answer.document["packages"]) == (
        3,
        "refused",
        [],
    )
    assert soundness.ledger_facts(office, "release-refused")


def test_the_mark_is_nobodys_to_see(office: Office, outbox: Path, dies: Dies) -> None:
    before = dies()
    told = office.ask("releases", before, "--as", "rita")
    assert release_owed.MARK not in told["record"]
    share(office, outbox)
    (row,) = soundness.table(office, soundness.RELEASES)
    assert release_owed.MARK not in row["record"]
