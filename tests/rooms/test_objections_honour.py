"""Who is withheld, for which reason, under which rule."""

from __future__ import annotations

import polars as pl
import pytest

from gateway.model import Household, Participation
from gateway.model.stages import BESIDE, Cohort
from gateway.model.tokens import ELEMENTS
from gateway.objections import (
    ENTRY_SCHEMA,
    Authority,
    EntryKind,
    Register,
    Status,
    compare,
    decide,
    empty_register,
    entries_lifted,
    honour,
    in_force,
    incomparable,
    merge_hits,
    resolve,
    tombstones_of,
)
from gateway.objections.entries import (
    ANSWERS,
    COMPARED,
    EFFECTS,
    LIFTS,
    LOOSENING,
    MAY_LOOSEN,
    WITHDRAWAL,
)
from tests.rooms.objection_people import (
    KEY,
    Blocks,
    a_cohort,
    a_plan,
    elements,
    register_of,
)

REASONS = ["objected", "opted-out", "no-consent", "doubtful-match"]

ANNA = {
    "fn1": "ANNA",
    "fnx": "ANNA",
    "nick": "ANN",
    "sn1": "TESTERSON",
    "snx": "TESTERSON",
    "dob": "2001-02-03",
    "sex": "2",
    "pc": "ZA11AA",
    "hn": "7",
    "nhs": "9990000018",
}


def outcome(
    people: list[dict[str, str]],
    register: Register,
    rule: Participation = Participation.OBJECTION,
    blocks: int = 1,
) -> list[str | None]:
    """The reason for each person, the cohort cut into blocks."""
    frame = elements(people, prefix="std.")
    parts = [frame[n::blocks] for n in range(blocks) if frame[n::blocks].height]
    hits = merge_hits([compare(part, register) for part in parts])
    resolution = resolve(hits, register, participation=rule)
    return decide(frame, resolution).to_list()


def test_a_person_who_objected_is_left_out_and_the_others_are_not() -> None:
    other = ANNA | {"fn1": "BERYL", "fnx": "BERYL", "nick": "BERYL", "sn1": "QUILL", "snx": "QUILL"}
    other |= {"dob": "1950-09-12", "pc": "ZB22BB", "nhs": "9990000026"}
    register = register_of(("objection", ANNA))
    assert outcome([ANNA, other], register) == ["objected", None]


@pytest.mark.parametrize("rule", list(Participation))
def test_an_empty_register_withholds_only_for_want_of_consent(rule: Participation) -> None:
    reason = "no-consent" if rule is Participation.CONSENT else None
    assert outcome([ANNA], empty_register(), rule) == [reason]


@pytest.mark.parametrize(
    ("rule", "kind", "reason"),
    [
        ("objection", "objection", "objected"),
        ("objection", "opt-out", "opted-out"),
        ("objection", "consent-withdrawn", "no-consent"),
        ("objection", "consent", None),
        ("opt-out", "objection", "objected"),
        ("opt-out", "opt-out", "opted-out"),
        ("opt-out", "consent-withdrawn", "no-consent"),
        ("opt-out", "consent", None),
        ("consent", "objection", "objected"),
        ("consent", "opt-out", "opted-out"),
        ("consent", "consent-withdrawn", "no-consent"),
        ("consent", "consent", None),
        ("statutory", "objection", None),
        ("statutory", "opt-out", None),
        ("statutory", "consent-withdrawn", None),
        ("statutory", "consent", None),
    ],
)
def test_each_rule_has_its_effect(rule: str, kind: str, reason: str | None) -> None:
    assert outcome([ANNA], register_of((kind, ANNA)), Participation(rule)) == [reason]


@pytest.mark.parametrize("against", ["objection", "opt-out", "consent-withdrawn"])
def test_any_no_beats_a_consent(against: str) -> None:
    register = register_of(("consent", ANNA), (against, ANNA))
    (reason,) = outcome([ANNA], register, Participation.CONSENT)
    assert reason in {"objected", "opted-out", "no-consent"}


def test_a_shared_national_number_is_certain_whatever_else_differs() -> None:
    entry = {"nhs": ANNA["nhs"], "fn1": "ZOE", "sn1": "OTHER"}
    assert outcome([ANNA], register_of(("opt-out", entry))) == ["opted-out"]


def test_a_strong_token_that_two_candidates_share_is_doubtful_for_both_also_over_blocks() -> None:
    entry = {name: ANNA[name] for name in ("fn1", "sn1", "dob", "sex")}
    first, second = ANNA | {"nhs": "9990000026"}, ANNA | {"pc": "ZC33CC", "nhs": "9990000034"}
    for blocks in (1, 2):
        found = outcome([first, second], register_of(("objection", entry)), blocks=blocks)
        assert found == ["doubtful-match"] * 2


def test_a_strong_token_that_two_entries_share_is_doubtful_unless_they_say_the_same() -> None:
    entry = {name: ANNA[name] for name in ("fn1", "sn1", "dob", "sex")}
    same = register_of(("objection", entry), ("objection", entry))
    assert outcome([ANNA], same) == ["objected"]
    apart = register_of(("objection", entry), ("objection", entry | {"town": "ELSEWHERE"}))
    assert outcome([ANNA], apart) == ["doubtful-match"]


def test_a_weak_token_holds_the_twin_of_someone_who_objected() -> None:
    twin = ANNA | {"fn1": "BETH", "fnx": "BETH", "nick": "BETH", "nhs": "9990000026"}
    assert outcome([ANNA, twin], register_of(("objection", ANNA))) == [
        "objected",
        "doubtful-match",
    ]


def test_a_doubtful_consent_is_no_consent() -> None:
    entry = ANNA | {"sn1": "MARRIED", "snx": "MARRIED", "pc": "ZC33CC"}
    del entry["nhs"]
    register = register_of(("consent", entry))
    assert outcome([ANNA], register, Participation.CONSENT) == ["no-consent"]
    exact = register_of(("consent", {k: v for k, v in ANNA.items() if k != "nhs"}))
    assert outcome([ANNA], exact, Participation.CONSENT) == [None]


def test_a_consent_with_another_national_number_is_no_consent() -> None:
    register = register_of(("consent", ANNA | {"nhs": "9990000026"}))
    assert outcome([ANNA], register, Participation.CONSENT) == ["no-consent"]


def test_the_name_of_before_is_known_on_both_sides() -> None:
    married = ANNA | {"sn1": "NEWNAME", "snx": "NEWNAME", "former1.sn1": "TESTERSON"}
    married |= {"former1.snx": "TESTERSON"}
    bare = {name: ANNA[name] for name in ("fn1", "fnx", "nick", "sn1", "snx", "dob", "sex")}
    assert outcome([married], register_of(("objection", bare))) == ["objected"]
    now = {k: v for k, v in married.items() if k not in {"nhs"}}
    assert outcome([bare], register_of(("objection", now))) == ["objected"]


@pytest.mark.parametrize(
    ("word", "rule", "reason"),
    [
        ("OPTOUT", "objection", "opted-out"),
        ("OBJECTED", "consent", "objected"),
        ("CONSENT", "consent", None),
        (" consent ", "consent", None),
        ("NONE", "consent", "no-consent"),
        (None, "consent", "no-consent"),
        ("NONE", "objection", None),
        ("CONSENT", "opt-out", None),
        ("", "opt-out", None),
        ("PERHAPS", "opt-out", "doubtful-match"),
        ("PERHAPS", "consent", "no-consent"),
        ("OPTOUT", "statutory", None),
    ],
)
def test_the_spines_own_word_may_tighten(word: str | None, rule: str, reason: str | None) -> None:
    resolution = resolve(
        compare(elements([ANNA], prefix="std."), empty_register()),
        empty_register(),
        participation=Participation(rule),
    )
    frame = pl.DataFrame(
        {"person": ["p0"], "spine.participation": [word]},
        schema_overrides={"spine.participation": pl.String},
    )
    assert decide(frame, resolution).to_list() == [reason]


def test_the_spines_consent_does_not_lift_an_objection() -> None:
    register = register_of(("objection", ANNA))
    frame = elements([ANNA], prefix="std.").with_columns(
        pl.lit("CONSENT").alias("spine.participation")
    )
    resolution = resolve(compare(frame, register), register, participation=Participation.CONSENT)
    assert decide(frame, resolution).to_list() == ["objected"]


def test_doubtful_pairs_are_queued_by_reference_with_the_reasons_and_no_value() -> None:
    twin = ANNA | {"fn1": "BETH", "fnx": "BETH", "nick": "BETH", "nhs": "9990000026"}
    register = register_of(("objection", ANNA))
    frame = elements([ANNA, twin], prefix="std.")
    resolution = resolve(compare(frame, register), register, participation=Participation.OBJECTION)
    (row,) = resolution.doubtful.to_dicts()
    assert (row["person"], row["sequence"]) == ("p1", 1)
    assert "T11" in row["because"]
    assert "TESTERSON" not in repr((resolution, register))


@pytest.mark.parametrize(
    ("told", "held"),
    [
        ({"fn1": "ANNA", "sn1": "TESTERSON"}, True),
        ({"fn1": "ANN", "nick": "ANN", "sn1": "TESTERSEN"}, True),
        ({"fn1": "A", "sn1": "TESTERSON"}, True),
        ({"sn1": "TESTERSON"}, True),
        ({"fn1": "GEORGE", "sn1": "TESTERSON"}, False),
        ({"fn1": "ANNA", "sn1": "OXBOW"}, False),
        ({"dob": "2001-02-03"}, True),
        ({"pc": "ZA11AA"}, True),
        ({"fn1": "ANNA", "nick": "ANNA"}, False),
        ({"fn1": "ANNA", "nick": "ANN"}, True),
    ],
)
def test_an_entry_that_gives_no_token_holds_whom_it_could_mean(
    told: dict[str, str], *, held: bool
) -> None:
    found = outcome([ANNA], register_of(("objection", told)))
    assert found == (["doubtful-match"] if held else [None])


def test_an_entry_whose_tokens_this_cohort_cannot_make_holds_whom_it_could_mean() -> None:
    entry = {"nhs": "9990000026", "fn1": "ANNA", "nick": "ANN", "sn1": "TESTERSON"}
    nameless = {k: v for k, v in ANNA.items() if k != "nhs"}
    frame = elements([nameless], prefix="std.").drop("std.nhs")
    register = register_of(("objection", entry))
    resolution = resolve(compare(frame, register), register, participation=Participation.OBJECTION)
    assert decide(frame, resolution).to_list() == ["doubtful-match"]


def test_an_entry_of_a_number_alone_is_like_nobody() -> None:
    register = register_of(("objection", {"nhs": "9990000026"}))
    assert outcome([ANNA], register) == [None]
    assert incomparable(["fn1", "sn1", "dob"], register)["sequence"].to_list() == [1]


def lifted(person: dict[str, str], register: Register, kind: str, purpose: str = "*") -> list[int]:
    row = elements([person]).drop("person")
    return entries_lifted(row, register, kind=EntryKind(kind), purpose=purpose)


def test_a_withdrawal_lifts_only_what_is_certainly_this_persons_and_of_this_kind() -> None:
    other = ANNA | {"fn1": "BETH", "fnx": "BETH", "nick": "BETH", "nhs": "9990000026"}
    register = register_of(("objection", ANNA), ("opt-out", ANNA), ("objection", other))
    assert lifted(ANNA, register, "objection-withdrawn") == [1]
    assert lifted(ANNA, register, "opt-out-withdrawn") == [2]
    assert lifted(ANNA, register, "consent") == []
    assert lifted(ANNA, register, "objection-withdrawn", purpose="study") == []
    vague = {name: ANNA[name] for name in ("fn1", "sn1", "dob")}
    assert lifted(vague, register, "objection-withdrawn") == []


def test_a_cohort_without_names_is_compared_by_what_it_has() -> None:
    frame = elements([ANNA], prefix="std.").select("person", "std.nhs")
    register = register_of(("objection", ANNA))
    resolution = resolve(compare(frame, register), register, participation=Participation.OBJECTION)
    assert decide(frame, resolution).to_list() == ["objected"]


def test_honour_takes_a_cohort_and_counts_by_reason() -> None:
    twin = ANNA | {"fn1": "BETH", "fnx": "BETH", "nick": "BETH", "nhs": "9990000026"}
    other = {"fn1": "CY", "sn1": "QUILL", "dob": "1950-09-12", "pc": "ZB22BB"}
    cohort = a_cohort([ANNA, twin, other], families=["f1", "f1", "f2"], blocks=1)
    willing = honour(cohort, register_of(("objection", ANNA), sequence=7))
    assert pl.concat(list(willing.partitions))["person"].to_list() == ["p2"]
    assert willing.counts == {"objected": 1, "doubtful-match": 1}
    assert (willing.received, willing.doubtful, willing.register_sequence) == (3, 1, 7)


def test_honour_of_a_statutory_purpose_lets_everyone_through_and_notes_the_register() -> None:
    cohort = a_cohort([ANNA], families=[None], rule=Participation.STATUTORY)
    willing = honour(cohort, register_of(("objection", ANNA), sequence=7))
    assert pl.concat(list(willing.partitions)).height == 1
    assert (willing.counts, willing.register_sequence) == ({}, 7)


def test_honour_of_nobody_is_nobody() -> None:
    cohort = a_cohort([], families=[])
    assert list(honour(cohort, register_of(("objection", ANNA))).partitions) == []


def test_a_family_leaves_whole_where_the_policy_says_so() -> None:
    other = {"fn1": "CY", "sn1": "QUILL", "dob": "1950-09-12", "pc": "ZB22BB"}
    cohort = a_cohort([ANNA, other], families=["f1", "f1"], household=Household.DROP_FAMILY)
    willing = honour(cohort, register_of(("objection", ANNA)))
    assert willing.counts == {"objected": 1, "household": 1}


OTHER = {"fn1": "CY", "sn1": "QUILL", "dob": "1950-09-12", "pc": "ZB22BB"}
THIRD = {"fn1": "DOT", "sn1": "MARROW", "dob": "1960-01-30", "pc": "ZC33CC"}


def with_beside(
    word: str | None = None,
    rule: Participation = Participation.OBJECTION,
    household: Household = Household.DROP_FAMILY,
) -> Cohort:
    """Anna stands beside the cohort, her relative in it, and somebody of another family."""
    cohort = a_cohort([ANNA, OTHER, THIRD], families=["f", "f", "g"], rule=rule)
    (frame,) = cohort.partitions
    marked = frame.with_columns(
        pl.Series(BESIDE, [True, None, None]),
        pl.Series("spine.participation", [word, "CONSENT", "CONSENT"], dtype=pl.String),
    )
    return Cohort(a_plan(rule=rule, household=household), Blocks((marked,)), received=2)


@pytest.mark.parametrize(
    ("word", "rule", "kind", "dropped"),
    [
        ("OBJECTED", "objection", "", True),
        ("OPTOUT", "consent", "", True),
        ("REFUSED", "consent", "", True),
        ("OBJECTED", "statutory", "", False),
        (None, "objection", "objection", True),
        (None, "opt-out", "opt-out", True),
        (None, "consent", "consent-withdrawn", True),
        ("CONSENT", "consent", "objection", True),
        (None, "consent", "", False),
        ("NONE", "consent", "", False),
        (None, "consent", "consent", False),
        (None, "statutory", "objection", False),
    ],
)
def test_only_a_no_of_a_relative_beside_the_cohort_drops_the_family(
    word: str | None, rule: str, kind: str, *, dropped: bool
) -> None:
    register = register_of((kind, ANNA)) if kind else empty_register()
    willing = honour(with_beside(word, Participation(rule)), register)
    frame = pl.concat(list(willing.partitions))
    assert frame["person"].to_list() == (["p2"] if dropped else ["p1", "p2"])
    assert BESIDE not in frame.columns
    assert willing.counts == ({"household": 1} if dropped else {})
    assert willing.received == frame.height + sum(willing.counts.values())


def test_a_doubtful_no_of_a_relative_beside_the_cohort_holds_the_family_and_is_queued() -> None:
    queued: list[pl.DataFrame] = []
    twin = ANNA | {"fn1": "BETH", "fnx": "BETH", "nick": "BETH", "nhs": "9990000026"}
    willing = honour(with_beside(), register_of(("objection", twin)), doubts=queued.append)
    assert pl.concat(list(willing.partitions))["person"].to_list() == ["p2"]
    assert willing.counts == {"household": 1}
    assert [frame.height for frame in queued] == [1]


def test_relatives_beside_the_cohort_end_here_whatever_the_household() -> None:
    willing = honour(with_beside("OBJECTED", household=Household.DROP_PERSON), empty_register())
    assert BESIDE not in pl.concat(list(willing.partitions)).columns
    assert "p0" not in pl.concat(list(willing.partitions))["person"]


def entries_of(*rows: tuple[int, str, str, str, list[int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(ENTRY_SCHEMA), orient="row")


def test_an_entry_counts_for_its_purpose_and_for_all_purposes() -> None:
    entries = entries_of(
        (1, "objection", "study", "unanswered", []),
        (2, "objection", "*", "considered", []),
        (3, "objection", "other", "upheld", []),
        (4, "objection", "study", "not-upheld", []),
    )
    assert in_force(entries, purpose="study")["sequence"].to_list() == [1, 2]


def test_a_lifted_entry_no_longer_counts_and_lifting_reaches_only_backwards() -> None:
    entries = entries_of(
        (1, "objection", "study", "unanswered", []),
        (2, "objection-withdrawn", "study", "unanswered", [1, 3]),
        (3, "objection", "study", "unanswered", []),
    )
    assert in_force(entries, purpose="study")["sequence"].to_list() == [3]


def test_the_tables_of_the_register_are_complete() -> None:
    assert set(EFFECTS) == set(Participation)
    assert set(LIFTS) == LOOSENING
    assert not LOOSENING & {EntryKind.OBJECTION, EntryKind.OPT_OUT, EntryKind.CONSENT_WITHDRAWN}
    said = set(WITHDRAWAL) | set(WITHDRAWAL.values())
    answered = {EntryKind.ANSWERED, EntryKind.MATCH_SAME, EntryKind.MATCH_OTHER}
    assert said | answered == set(EntryKind)
    assert not said & answered
    assert set(COMPARED) < said
    assert set(ANSWERS) == set(Participation)
    assert Authority.PARTNER_EXTRACT not in MAY_LOOSEN
    assert Status.UNANSWERED in set(Status)
    assert {reason.value for effects in EFFECTS.values() for reason in effects.values()} < set(
        REASONS
    )


def test_tombstones_are_all_tokens_that_the_details_give() -> None:
    made = tombstones_of(elements([ANNA]).rename({"person": "sequence"}), KEY)
    assert {"TN-nhs", "T01", "T09", "T36"} <= set(made["token"])
    assert not {"TN-upn", "T02", "T39"} & set(made["token"])
    assert made["value"].bin.size().unique().to_list() == [16]
    nothing = pl.DataFrame({"sequence": [1], "nhs": [None]}, schema_overrides={"nhs": pl.String})
    assert tombstones_of(nothing.drop("nhs"), KEY).height == 0
    assert set(elements([ANNA]).columns) >= {"person", *ELEMENTS}
