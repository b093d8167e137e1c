"""What the notices promise, judged by the entries of one release: each breach is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from gateway.ledger import PROMISES, Fact
from gateway.standalone import verify_promises
from tests.rooms.told_releases import (
    A_CERTIFICATE,
    A_KEY,
    AN_OBJECTION,
    APPROVED,
    BOTH,
    BUILT,
    CERTIFIED,
    DECIDED,
    DISCLOSED,
    FACTS_FILE,
    GRANTED,
    LOADED,
    MADE,
    NAMED,
    NONE,
    OBJECTED,
    OWN,
    PROPOSED,
    RECORDED,
    RELEASE,
    SENT,
    STATED,
    TEXT,
    TOKENS_FILE,
    UNDUE,
    USED,
    WHOLE,
    WITHDREW,
    Case,
    Change,
    a_column,
    again,
    asked,
    changed,
    disclosed,
    filed,
    more,
    saying,
    stating,
    stories,
    without,
)

Told = tuple[str, str, list[str]]


def judged(promise: str, *changes: Change) -> Told:
    """A promise's outcome, why, and the events of the entries that show it."""
    case = changed(*changes)
    verdict = case.verdicts()[promise]
    return verdict.outcome.value, verdict.because, case.events(verdict)


def test_a_release_that_is_as_it_should_be_keeps_every_promise_that_is_due() -> None:
    verdicts = WHOLE.verdicts()
    assert list(verdicts) == list(PROMISES)
    outcomes = {promise: verdict.outcome.value for promise, verdict in verdicts.items()}
    assert outcomes.pop("destroyed") == "not-yet"
    assert set(outcomes.values()) == {"kept"}
    assert [verdict.words for verdict in verdicts.values()] == [w for w, _ in PROMISES.values()]


def test_what_another_release_did_is_nothing_to_this_one() -> None:
    others = tuple(
        (event, {**facts, "release": "rel-2"}) for event, facts in WHOLE.lines if "release" in facts
    )
    assert replace(WHOLE, lines=WHOLE.lines + others).verdicts() == WHOLE.verdicts()
    # Nor which register another one had read when this one was recorded.
    of_another = {"release": "rel-2", "packages": 0, "packages_digest": NONE}
    later = more(RECORDED, before=RECORDED, **of_another, register_sequence=9)
    assert judged("objections", later)[0] == "kept"


def test_two_approvals_of_the_text_stand_before_the_decision() -> None:
    because = (
        "2 approvals of this very text before it was decided, for 2 controllers, none by who"
        " wrote it."
    )
    kept = "kept", because, [PROPOSED, APPROVED, APPROVED, DECIDED]
    assert judged("approved") == kept
    # What is approved or withdrawn once it was decided changes nothing.
    assert judged("approved", more(APPROVED, **TEXT, operator="eve")) == kept
    assert judged("approved", more(WITHDREW, **TEXT)) == kept
    one = kept[1].replace("2 approvals", "1 approval")
    shown = [PROPOSED, APPROVED, DECIDED]
    # Somebody may speak for two controllers.
    for_both = without(APPROVED, which=0), saying(APPROVED, **BOTH)
    assert judged("approved", *for_both) == ("kept", one, shown)


@pytest.mark.parametrize(("which", "whose"), [(0, "a-council"), (1, "b-council")])
def test_the_approval_of_one_controller_is_none_of_the_other(which: int, whose: str) -> None:
    because = f"No approval for {whose} stands before the decision."
    told = "broken", because, [PROPOSED, APPROVED, DECIDED]
    gone = without(APPROVED, which=which)
    assert judged("approved", gone) == told
    assert others_verdicts(changed(gone))["approved"] == "broken"
    # Nor one of another text, one that came later, or one of somebody who had no part in it.
    approval = {"operator": "cy", "controllers": whose}
    for late in (
        more(APPROVED, **TEXT, **approval),
        more(APPROVED, before=DECIDED, **{**TEXT, "document_digest": NONE}, **approval),
        more(APPROVED, before=DECIDED, **TEXT, operator="cy", controllers="c-council"),
    ):
        outcome, why, _ = judged("approved", gone, late)
        assert (outcome, why) == told[:2]
        assert others_verdicts(changed(gone, late))["approved"] == "broken"


def nameless(case: Case) -> Case:
    """As entries were before they named controllers."""
    lines = [(e, {k: v for k, v in f.items() if k != "controllers"}) for e, f in case.lines]
    return replace(case, lines=tuple(lines))


UNKNOWN = " How many it needed could not be checked: not all of its entries name their controllers."


@pytest.mark.parametrize(
    "happened",
    [
        (nameless,),
        (nameless, without(APPROVED, which=1)),
        (nameless, saying(DECIDED, **BOTH)),
        (nameless, saying(DECIDED, **BOTH), saying(APPROVED, controllers="a-council")),
        (nameless, saying(APPROVED, controllers="a-council")),
    ],
    ids=["all from before", "one of them", "approved before", "one before", "decided before"],
)
def test_entries_from_before_are_judged_as_before_and_it_is_said(
    happened: tuple[Change, ...],
) -> None:
    outcome, because, _ = judged("approved", *happened)
    assert (outcome, because.endswith("none by who wrote it." + UNKNOWN)) == ("kept", True)
    assert others_verdicts(changed(*happened))["approved"] == "kept"
    withdrawn = more(WITHDREW, before=DECIDED, **TEXT)
    assert judged("approved", *happened, withdrawn)[0] == "broken"
    assert others_verdicts(changed(*happened, withdrawn))["approved"] == "broken"
    anew = more(APPROVED, before=DECIDED, **TEXT, operator="ada")
    assert judged("approved", *happened, withdrawn, anew)[0] == "kept"
    assert others_verdicts(changed(*happened, withdrawn, anew))["approved"] == "kept"


def test_a_text_that_nobody_wrote_or_approved_decides_nothing() -> None:
    because = "No approval stands before the decision."
    told = judged("approved", without(APPROVED), again(PROPOSED, before=DECIDED))
    assert told == ("broken", because, [PROPOSED, PROPOSED, DECIDED])
    assert judged("approved", without(PROPOSED)) == ("broken", because, [DECIDED])
    another = saying(DECIDED, policy_digest=NONE)
    assert judged("approved", another) == ("broken", because, [DECIDED])


def test_an_editor_does_not_approve_their_own_text() -> None:
    because = "An editor approved their own text."
    told = judged("approved", saying(APPROVED, which=1, operator="eve"))
    assert told == ("broken", because, [PROPOSED, APPROVED, APPROVED])


def test_what_is_done_with_the_same_text_later_changes_nothing() -> None:
    """Who approved or released it may write it again, be it to begin anew after a withdrawal."""
    for who in ("ada", "oz"):
        later = more(PROPOSED, **TEXT, operator=who, version=2)
        case = changed(later, again(GRANTED), saying(GRANTED, which=1, operator="oz"))
        outcomes = {promise: v.outcome.value for promise, v in case.verdicts().items()}
        assert "broken" not in outcomes.values()
        assert others_verdicts(case) == outcomes
    # An approval stands though its signer proposes the text again before it decides.
    again_proposed = more(PROPOSED, before=DECIDED, **TEXT, operator="ada", version=2)
    assert judged("approved", again_proposed)[0] == "kept"
    assert others_verdicts(changed(again_proposed))["approved"] == "kept"
    signed = again(APPROVED, before=DECIDED)
    assert judged("approved", again_proposed, signed)[0] == "broken"
    assert others_verdicts(changed(again_proposed, signed))["approved"] == "broken"


def test_an_agreement_that_was_withdrawn_needs_another_approval() -> None:
    withdrawn = more(WITHDREW, before=DECIDED, **TEXT)
    because = "The agreement was withdrawn before the decision."
    assert judged("approved", withdrawn) == ("broken", because, [WITHDREW])
    # Every controller has to approve it again, and not one alone.
    one = again(APPROVED, before=DECIDED)
    because = "No approval for b-council stands before the decision."
    assert judged("approved", withdrawn, one)[:2] == ("broken", because)
    other = more(APPROVED, before=DECIDED, **TEXT, operator="bob", controllers="b-council")
    assert judged("approved", withdrawn, one, other)[0] == "kept"
    never = judged("approved", without(APPROVED), withdrawn)
    assert never[1] == "No approval stands before the decision."


@pytest.mark.parametrize("promise", ["approved", "apart"])
def test_without_a_decision_nobody_decided_rightly(promise: str) -> None:
    assert judged(promise, without(DECIDED)) == ("broken", "The ledger holds no decision.", [])


def test_who_releases_did_nothing_else_for_it() -> None:
    because = "Who released it neither wrote, approved nor granted."
    shown = [PROPOSED, APPROVED, APPROVED, GRANTED, DECIDED]
    assert judged("apart") == ("kept", because, shown)
    because = "The release officer also wrote, approved or granted."
    for event in (PROPOSED, APPROVED, GRANTED):
        assert judged("apart", saying(event, operator="oz")) == ("broken", because, [event])


def test_everyone_who_wrote_of_a_text_is_its_editor_not_only_who_proposed_it() -> None:
    def wrote(names: str) -> Change:
        return saying(PROPOSED, editors=names)

    for names, broken in (
        ("eve,wes", set()),
        ("bob,eve", {"approved"}),
        ("eve,oz", {"apart"}),
        ("ada,eve,oz", {"approved", "apart"}),
        # No part of a name is a name.
        ("ad,ad-a,eve,o", set()),
    ):
        case = changed(wrote(names))
        outcomes = {promise: v.outcome.value for promise, v in case.verdicts().items()}
        assert {promise for promise, outcome in outcomes.items() if outcome == "broken"} == broken
        assert others_verdicts(case) == outcomes, names
    because = "An editor approved their own text."
    shown = [PROPOSED, APPROVED, APPROVED]
    assert judged("approved", wrote("bob,eve")) == ("broken", because, shown)
    because = "The release officer also wrote, approved or granted."
    assert judged("apart", wrote("eve,oz")) == ("broken", because, [PROPOSED])


def test_every_column_left_by_a_clause() -> None:
    assert judged("minimum") == ("kept", "3 columns left, each by a clause.", [MADE, MADE])
    one = "1 column left, each by a clause."
    assert judged("minimum", stating(0, columns=[])) == ("kept", one, [MADE, MADE])
    because = "A column left without a clause."
    assert judged("minimum", stating(0, columns=UNDUE)) == ("broken", because, [MADE])


def test_every_manifest_is_there_and_is_the_one_that_was_recorded() -> None:
    because = "A manifest is missing."
    assert judged("minimum", without(MADE, which=1)) == ("broken", because, [MADE])
    nothing = without(MADE), unmade
    assert judged("minimum", *nothing) == ("broken", because, [])
    because = "A manifest is not the one that was recorded."
    told = judged("minimum", saying(MADE, which=1, core_digest=NONE))
    assert told == ("broken", because, [MADE])


def test_of_two_manifests_or_makings_of_a_package_neither_hides_the_other() -> None:
    because = "A package was made twice, or has two manifests."
    for copied in (FACTS_FILE, {**FACTS_FILE, "duties": ["destroy-by 2199-12-31"]}):

        def twice(case: Case, copied: dict[str, Any] = copied) -> Case:
            return replace(case, manifests=(copied, *case.manifests))

        assert judged("minimum", twice) == ("broken", because, [MADE, MADE])
        assert others_verdicts(changed(twice))["minimum"] == "broken"
    again_made = again(MADE, before=BUILT)
    assert judged("minimum", again_made) == ("broken", because, [MADE, MADE, MADE])
    told = judged("once", again_made)
    assert told == ("broken", "A package was made twice.", [MADE, MADE, MADE])
    verdicts = others_verdicts(changed(again_made))
    assert (verdicts["minimum"], verdicts["once"]) == ("broken", "broken")


def unmade(case: Case) -> Case:
    """No manifest is there."""
    return replace(case, manifests=())


def test_the_least_group_of_all_outputs_is_told() -> None:
    because = "No group of fewer than 10 families left."
    assert judged("de-identified") == ("kept", because, [MADE, MADE])
    smaller = stating(1, disclosure={"k": 5, "met": True})
    assert judged("de-identified", smaller)[1] == "No group of fewer than 5 families left."
    told = judged("de-identified", stating(0, disclosure=None))
    assert told == ("kept", "No rows of facts left.", [MADE, MADE])


def test_a_limit_that_was_not_met_is_broken_even_where_people_are_named() -> None:
    because = "A limit on small groups was not met."
    told = judged("de-identified", stating(0, columns=NAMED, disclosure={"k": 10}))
    assert told == ("broken", because, [MADE, MADE])


def test_where_people_are_named_nobody_was_promised_otherwise() -> None:
    because = "It names people, to a recipient who may know them: nobody is told otherwise."
    told = judged("de-identified", stating(1, columns=NAMED))
    assert told == ("does-not-apply", because, [MADE, MADE])


def test_the_register_that_was_read_is_the_newest_to_the_end() -> None:
    because = "Register entry 7 was the newest when it was made and when it was recorded."
    kept = "kept", because, [BUILT, RECORDED]
    assert judged("objections") == kept
    earlier = AN_OBJECTION | {"register_sequence": 7}
    later = more(OBJECTED, **AN_OBJECTION)
    assert judged("objections", more(OBJECTED, before=DECIDED, **earlier), later) == kept
    moved = saying(RECORDED, register_sequence=8)
    because = "The register moved between reading and sending."
    assert judged("objections", moved) == ("broken", because, [BUILT, RECORDED])


def test_a_release_that_does_not_say_which_register_it_read_is_broken() -> None:
    because = "The ledger does not say which register was read."
    assert judged("objections", without(RECORDED)) == ("broken", because, [BUILT])
    assert judged("objections", without(BUILT)) == ("broken", because, [])


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (OBJECTED, {**AN_OBJECTION, "register": "trafford-council"}),
        ("register-entry-lifted", AN_OBJECTION),
        ("register-entry-answered", {**AN_OBJECTION, "state": "complied"}),
        (LOADED, {"register_sequence": 9, "entries": 2}),
    ],
)
def test_whatever_the_register_was_told_before_it_was_sent_breaks_it(
    event: str, facts: dict[str, Fact]
) -> None:
    because = "An objection stood before it was sent."
    told = judged("objections", more(event, before=RECORDED, **facts))
    assert told == ("broken", because, [event, RECORDED])


def test_no_objection_stops_an_emergency_disclosure() -> None:
    told = judged("objections", disclosed(), more(OBJECTED, before=RECORDED, **AN_OBJECTION))
    because = "The law lets no objection stop an emergency disclosure: 3 overridden."
    assert told == ("kept", because, [DISCLOSED, BUILT, RECORDED])


def test_two_people_with_a_reason_each_stand_behind_an_emergency() -> None:
    assert judged("emergency") == ("kept", "It was no emergency disclosure.", [DECIDED])
    because = "Two people agreed on it, and both filed their reason in time."
    told = judged("emergency", disclosed(), filed("oz"), filed("ada"))
    assert told == ("kept", because, [DISCLOSED, SENT, SENT, STATED, STATED])


def test_a_reason_is_owed_to_the_end_of_the_next_day() -> None:
    one, shown = (disclosed(), filed("oz")), [DISCLOSED, SENT, SENT, STATED]
    because = "Two people agreed on it; a reason is still owed."
    assert judged("emergency", *one, asked("2026-06-16")) == ("not-yet", because, shown)
    because = "A reason is owed, and its day has passed."
    assert judged("emergency", *one, asked("2026-06-17")) == ("broken", because, shown)
    because = "A reason was filed after its day."
    late = filed("ada", "late")
    assert judged("emergency", *one, late) == ("broken", because, [*shown, STATED])


@pytest.mark.parametrize(
    ("happened", "shown"),
    [
        ((disclosed(approver="oz"),), [DISCLOSED, SENT, SENT]),
        ((disclosed(), disclosed()), [DISCLOSED, DISCLOSED, SENT, SENT]),
        ((disclosed(before=""),), [SENT, SENT, DISCLOSED]),
    ],
    ids=["one alone", "twice", "afterwards"],
)
def test_an_emergency_of_one_alone_or_told_twice_or_afterwards_is_broken(
    happened: tuple[Change, ...], shown: list[str]
) -> None:
    because = "Not two people stood behind it before anything left."
    told = judged("emergency", *happened, filed("oz"), filed("ada"))
    assert told == ("broken", because, [*shown, STATED, STATED])


def test_everybody_who_was_received_is_sent_or_withheld() -> None:
    because = "Everybody was sent or left out for a reason."
    assert judged("conserved") == ("kept", because, [BUILT])
    assert judged("conserved", without(BUILT)) == ("broken", "The ledger holds no count.", [])
    because = "The people received are not those forwarded and withheld."
    for count in ("received", "forwarded", "withheld"):
        assert judged("conserved", saying(BUILT, **{count: 11})) == ("broken", because, [BUILT])


def test_every_use_of_a_key_is_by_leave() -> None:
    assert judged("keys") == ("kept", "1 use of a key, each by leave.", [GRANTED, USED])
    twice = "2 uses of a key, each by leave."
    assert judged("keys", again(USED)) == ("kept", twice, [GRANTED, USED, USED])
    unneeded = without(USED), stating(1, columns=[a_column("arm")])
    assert judged("keys", *unneeded) == ("kept", "No key was needed.", [MADE, MADE])


A_STUDY = {"kind": "study", "study": "nis", "epoch": "2026-1"}
OF_STUDY: dict[str, Fact] = {"study": "nis", "epoch": "2026-1"}
CONTROLLERS_USE: dict[str, Fact] = {**A_KEY, "key": "k-2", "kind": "controller", "count": 9}
A_CONTROLLER: dict[str, Fact] = {
    **{name: fact for name, fact in CONTROLLERS_USE.items() if name != "count"},
    "until": "2026-06-15",
    "operator": "kim",
}
PSEUDONYM = [a_column("family", sort="identifier", treatment="pseudonym")]


@pytest.mark.parametrize(
    "happened",
    [
        (without(USED),),
        (without(USED), without(GRANTED)),
        (saying(USED, release="rel-2"),),
        (saying(USED, kind="controller"),),
        (without(USED), stating(1, columns=[], key=A_STUDY)),
        (stating(1, columns=[], key=A_STUDY),),
        (stating(1, key=A_STUDY), saying(GRANTED, study="nis", epoch="2026-2")),
        (stating(0, columns=PSEUDONYM),),
        (stating(0, key={"kind": "pseudonym", "epoch": "1"}),),
        (stating(0, columns=TOKENS_FILE["columns"]),),
    ],
    ids=[
        *("no use", "neither use nor grant", "of another release", "another kind"),
        *("a key without a use", "a grant of no study", "another epoch"),
        *("a pseudonym", "pseudonyms of the unit", "one use for two packages"),
    ],
)
def test_codes_that_left_demand_that_their_key_s_use_is_told(
    happened: tuple[Change, ...],
) -> None:
    outcome, because, _ = judged("keys", *happened)
    assert (outcome, because) == (
        "broken",
        "Codes left, but no entry says that their key was used.",
    )
    assert others_verdicts(changed(*happened))["keys"] == "broken"


@pytest.mark.parametrize(
    "happened",
    [
        (stating(1, key=A_STUDY), saying(GRANTED, **OF_STUDY)),
        (without(USED), stating(1, rows=0, key=A_STUDY)),
        (again(USED), stating(0, columns=TOKENS_FILE["columns"])),
        (
            more(GRANTED, before=DECIDED, **A_CONTROLLER, policy_digest=TEXT["document_digest"]),
            more(USED, before=MADE, **OWN, **CONTROLLERS_USE),
            stating(0, columns=PSEUDONYM, key={"kind": "pseudonym", "epoch": "1"}),
        ),
    ],
    ids=["its own study", "nothing left", "a use for each", "pseudonyms"],
)
def test_the_key_that_made_the_codes_was_used_by_leave(happened: tuple[Change, ...]) -> None:
    assert judged("keys", *happened)[0] == "kept"
    assert others_verdicts(changed(*happened))["keys"] == "kept"


def test_a_package_cannot_be_left_out_with_its_manifest() -> None:
    gone = without(MADE, which=0), lambda case: replace(case, manifests=case.manifests[1:])
    told = judged("minimum", *gone)
    assert told == ("broken", "A package is missing.", [MADE, RECORDED])
    assert others_verdicts(changed(*gone))["minimum"] == "broken"
    one = *gone, saying(RECORDED, packages=1)
    assert judged("minimum", *one)[0] == others_verdicts(changed(*one))["minimum"] == "kept"


def test_what_was_decided_as_an_emergency_is_told_as_one() -> None:
    decided = saying(DECIDED, kind="emergency")
    because = "No entry says who stood behind the disclosure."
    assert judged("emergency", decided) == ("broken", because, [DECIDED])
    assert others_verdicts(changed(decided))["emergency"] == "broken"
    both = decided, disclosed(), filed("oz"), filed("ada")
    assert judged("emergency", *both)[0] == "kept"
    assert others_verdicts(changed(*both))["emergency"] == "kept"


@pytest.mark.parametrize(
    "happened",
    [
        (without(GRANTED),),
        (saying(GRANTED, key="k-2"),),
        (saying(GRANTED, purpose="other"),),
        (saying(GRANTED, policy_digest=NONE),),
        (saying(GRANTED, until="2026-06-14"),),
        (again(GRANTED), without(GRANTED, which=0)),
    ],
    ids=["none", "another key", "another purpose", "another text", "ended", "afterwards"],
)
def test_leave_for_something_else_is_no_leave(happened: tuple[Change, ...]) -> None:
    assert judged("keys", *happened) == ("broken", "A key was used without leave.", [USED])


def test_it_is_decided_made_and_recorded_once_and_in_this_order() -> None:
    because = "Decided, made and recorded before anything left."
    assert judged("recorded") == ("kept", because, [DECIDED, BUILT, RECORDED, SENT, SENT])
    because = "The steps are out of order."
    told = judged("recorded", again(BUILT, before=DECIDED), without(BUILT, which=1))
    assert told == ("broken", because, [BUILT, DECIDED, RECORDED])


@pytest.mark.parametrize(
    ("happened", "shown"),
    [
        ((without(BUILT),), [DECIDED, RECORDED]),
        ((again(RECORDED),), [DECIDED, BUILT, RECORDED, RECORDED]),
        ((without(BUILT), again(DECIDED, before=RECORDED)), [DECIDED, DECIDED, RECORDED]),
        ((without(BUILT), again(RECORDED, before=SENT)), [DECIDED, RECORDED, RECORDED]),
    ],
    ids=["missing", "twice", "two decisions", "two records"],
)
def test_a_step_that_stands_twice_makes_up_for_none_that_is_missing(
    happened: tuple[Change, ...], shown: list[str]
) -> None:
    because = "A step is missing, or stands twice."
    assert judged("recorded", *happened) == ("broken", because, shown)


def test_nothing_leaves_before_it_is_recorded() -> None:
    because = "Something left before it was recorded."
    told = judged("recorded", again(SENT, before=RECORDED), without(SENT, which=1))
    assert told == ("broken", because, [DECIDED, BUILT, SENT, RECORDED, SENT])


def test_each_package_leaves_once() -> None:
    because = "2 packages, each once, each to its recipient."
    assert judged("once") == ("kept", because, [MADE, MADE, SENT, SENT])
    told = judged("once", without(MADE, which=1), without(SENT, which=1))
    assert told == ("kept", "1 package, each once, each to its recipient.", [MADE, SENT])
    told = judged("once", without(SENT, which=1))
    assert told == ("not-yet", "1 of 2 packages have left.", [MADE, MADE, SENT])
    because = "A package left twice, or was never made."
    assert judged("once", again(SENT)) == ("broken", because, [SENT, SENT, SENT])
    assert judged("once", saying(SENT, package="pkg-3")) == ("broken", because, [SENT, SENT])


def test_each_package_goes_to_the_recipient_it_was_made_for() -> None:
    because = "A package went to another recipient."
    told = judged("once", saying(SENT, recipient="ons-linkage"))
    assert told == ("broken", because, [SENT, SENT])


def test_it_is_to_be_destroyed_by_the_last_of_its_days() -> None:
    because = "It is to be destroyed by 2028-03-31."
    told = judged("destroyed", asked("2028-03-31"))
    assert told == ("not-yet", because, [MADE, MADE])
    alone = without(MADE, which=0), lambda case: replace(case, manifests=case.manifests[1:])
    told = judged("destroyed", *alone)
    assert told == ("not-yet", "It is to be destroyed by 2027-03-31.", [MADE])
    because = "Its day has passed without a certificate of each recipient."
    told = judged("destroyed", asked("2028-04-01"), more(CERTIFIED, **A_CERTIFICATE))
    assert told == ("broken", because, [CERTIFIED])
    undated = stating(0, duties=["no-onward"]), stating(1, duties=[])
    assert judged("destroyed", *undated) == ("broken", because, [])
    assert judged("destroyed", without(MADE), unmade) == ("broken", because, [])


def test_each_recipient_certifies_the_destruction() -> None:
    certificate = more(CERTIFIED, **A_CERTIFICATE)
    because = "Each recipient has certified the destruction."
    told = judged("destroyed", certificate, certificate)
    assert told == ("kept", because, [CERTIFIED, CERTIFIED])


def test_two_certificates_of_one_package_are_none_of_another() -> None:
    def certified(*packages: str) -> list[Change]:
        return [more(CERTIFIED, **A_CERTIFICATE, package=package) for package in packages]

    for packages, outcome in (
        (("pkg-facts", "pkg-tokens"), "kept"),
        (("pkg-facts", "pkg-facts"), "not-yet"),
        (("pkg-facts", "pkg-another"), "not-yet"),
    ):
        assert judged("destroyed", *certified(*packages))[0] == outcome
        assert others_verdicts(changed(*certified(*packages)))["destroyed"] == outcome


# ---- Against the verifier that is written apart


def others_verdicts(case: Case) -> dict[str, str]:
    """What `verify_release` makes of the same entries, by its own rules."""
    entries = [
        {
            "index": told.index,
            "entry": {
                "event": told.entry.event,
                "facts": dict(told.entry.facts),
                "at": told.entry.at.isoformat(),
            },
        }
        for told in case.told()
    ]
    proof = {"release": RELEASE, "asked": case.on.isoformat()}
    log = verify_promises.Log({**proof, "entries": entries, "manifests": case.manifests})
    return log.judged(case.on.isoformat())


@settings(deadline=None, max_examples=200)
@given(stories())
def test_whatever_happened_the_verifier_that_is_written_apart_says_the_same(case: Case) -> None:
    ours = {promise: verdict.outcome.value for promise, verdict in case.verdicts().items()}
    decisions = [f for e, f in case.lines if e == DECIDED and f["release"] == RELEASE]
    if len(decisions) == 1:
        assert ours == others_verdicts(case)
    else:
        # The verifier refuses a file that does not hold one decision.
        assert ours["recorded"] == "broken"
