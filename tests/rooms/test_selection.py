"""The cohort: only those whom the purpose is about, once each, whole families together."""

import dataclasses
import datetime as dt

import polars as pl
import pytest

from gateway.adapters.spill import ScratchDirectory
from gateway.errors import RefusedError
from gateway.model import (
    CohortRule,
    ColumnRule,
    Contract,
    ContractColumn,
    FieldClass,
    Household,
    IdentifierForm,
    JoinRule,
    OutputPlan,
    Participation,
    Plan,
    PurposeKind,
    RecipientRef,
    Role,
    SharingRequest,
)
from gateway.model import scattering as model_scattering
from gateway.model.stages import last_reading, narrowed
from gateway.objections import honour
from gateway.selection import Source, cohort_filter, scattering, select
from tests.rooms.objection_people import register_of

RECIPIENT = RecipientRef(
    id="ons-research",
    organisation="ons",
    team="research",
    classes=frozenset({"synthetic"}),
    key_id="k",
    fingerprint="f",
    channel="folder",
)


@dataclasses.dataclass
class Stored:
    """An accepted extract in memory, in blocks, as the sealed store gives it."""

    blocks: list[pl.DataFrame]

    @property
    def rows(self):
        return sum(block.height for block in self.blocks)

    def frames(self, columns=None):
        for block in self.blocks:
            yield (
                block
                if columns is None
                else block.select([c for c in columns if c in block.columns])
            )


@dataclasses.dataclass
class Counted(Stored):
    """Knows how often it was read."""

    readings: int = 0

    def frames(self, columns=None):
        self.readings += 1
        return super().frames(columns)


def column(name, role=None, **more):
    return ContractColumn(name=name, field=more.pop("field", name), type="text", role=role, **more)


def contract(name, *columns):
    return Contract(id=name, title=name, version=1, parties=("council",), columns=columns)


REGISTER = contract(
    "family_register",
    column("person_id", Role.PERSON_ID, unique=True, required=True),
    column("family_id", Role.FAMILY_ID),
    column("arm"),
    column("sex", Role.SEX),
    column("participation"),
    column("protected"),
)
PROGRESS = contract("progress", column("person_id", Role.PERSON_ID), column("wave"), column("fpd"))


def rule(dataset, column_, name=None, **more):
    return ColumnRule(
        name=name or column_,
        field=column_,
        dataset=dataset,
        column=column_,
        treat="keep",
        clause="1",
        field_class=FieldClass.PLAIN,
        **more,
    )


def plan(columns, joins=(), within=(("arm", ("PROG", "COMP")),), between=()):
    output = OutputPlan(
        name="payload",
        recipient=RECIPIENT,
        identifiers=IdentifierForm.LINK_ID,
        clause="1",
        columns=tuple(columns),
    )
    return Plan(
        request=SharingRequest(purpose="p", agreement="a"),
        agreement_version=1,
        controller="council",
        kind=PurposeKind.RECORDS,
        clause="1",
        legal_bases=("b",),
        cohort=CohortRule(name="c", dataset="family_register", within=within, between=between),
        joins=tuple(joins),
        participation=Participation.OBJECTION,
        household=Household.DROP_PERSON,
        outputs=(output,),
        retain_until=dt.date(2028, 1, 1),
        link_map_until="receipt+30d",
        returns="none",
        duties=("research-only",),
        policy_digest="0" * 64,
    )


def people(count, start=0):
    return pl.DataFrame(
        {
            "person_id": [f"p{i}" for i in range(start, start + count)],
            "family_id": [f"f{i // 3}" if i % 7 else None for i in range(start, start + count)],
            "arm": [("PROG", "COMP", "ASSESSED")[i % 3] for i in range(start, start + count)],
            "sex": ["1"] * count,
            "participation": ["NONE"] * count,
            "protected": ["N"] * count,
            "surname": ["NEVERNEEDED"] * count,
            "std.fn1": ["ADA"] * count,
            "std.former1.sn1": ["OLD"] * count,
            "std.st": ["UNASKED"] * count,
        }
    )


@pytest.fixture
def scratch(tmp_path):
    with ScratchDirectory(tmp_path) as scratch:
        yield scratch


def chosen(plan_, sources, scratch, elements=("fn1", "sn1")):
    cohort = select(plan_, sources, scratch, elements=elements)
    return cohort, pl.concat(list(cohort.partitions) or [pl.DataFrame()])


def test_only_the_named_columns_and_components_are_read(scratch):
    source = Source(REGISTER, (Stored([people(30)]),))
    _, frame = chosen(plan([rule("family_register", "sex")]), {"family_register": source}, scratch)
    assert frame.columns == [
        "person",
        "family",
        "in.family_register.sex",
        "spine.participation",
        "spine.protected",
        "std.fn1",
        "std.former1.sn1",
    ]


def test_only_the_cohort_is_selected_and_counted(scratch):
    source = Source(REGISTER, (Stored([people(15), people(15, 15)]),))
    cohort, frame = chosen(
        plan([rule("family_register", "sex")]), {"family_register": source}, scratch
    )
    assert cohort.received == frame.height == 20


def whole_families(plan_, **more):
    return dataclasses.replace(plan_, household=Household.DROP_FAMILY, **more)


@pytest.mark.parametrize("rows", [65_536, 7])
def test_relatives_beside_the_cohort_are_with_their_family_and_not_counted(
    scratch, monkeypatch, rows
):
    monkeypatch.setattr(scattering, "PARTITION_ROWS", rows)
    sources = {
        "family_register": Source(REGISTER, (Stored([people(15), people(15, 15)]),)),
        "progress": progress([("p1", "T0", "1"), ("p2", "T0", "2")]),
    }
    for joins, rules in (((), [rule("family_register", "sex")]), (JOIN, WIDE)):
        cohort = select(
            whole_families(plan(rules, joins)), sources, scratch, elements=("fn1", "sn1")
        )
        frames = list(cohort.partitions)
        frame = pl.concat(frames, how="diagonal")
        beside = frame.filter(pl.col("spine.beside"))
        assert cohort.received == frame.height - beside.height == 20
        # Nobody without a family is a relative: p14 is beside the cohort and has none.
        expected = {f"p{n}" for n in range(2, 30, 3) if n % 7}
        assert set(beside["person"]) == expected
        for part in frames:
            ours = part.filter(pl.col("spine.beside").is_null())["family"].to_list()
            theirs = part.filter(pl.col("spine.beside"))
            assert set(theirs["family"]) <= set(ours)
        told = {name for name in beside.columns if beside[name].null_count() < beside.height}
        shown = {"person", "family", "spine.participation", "spine.beside"}
        assert told == shown | {"std.fn1", "std.former1.sn1"}
        narrow = narrowed(cohort.partitions, lambda name: name == "person")
        assert [each.columns for each in narrow] == [["person"]] * len(frames)
        assert sum(each.height for each in last_reading(cohort.partitions)) == frame.height


def a_home(word, arm):
    """A family of whom one stands beside the cohort, and another family."""
    return pl.DataFrame(
        {
            "person_id": ["p0", "p1", "p2"],
            "family_id": ["f", "f", "g"],
            "arm": [arm, "PROG", "COMP"],
            "sex": ["1", "2", "1"],
            "participation": [word, "NONE", "NONE"],
            "protected": ["N"] * 3,
            "std.nhs": ["9990000018", "9990000026", "9990000034"],
        }
    )


SAID_NO = {"nhs": "9990000018"}


# Who has nothing in the column of a condition is beside the cohort too.
@pytest.mark.parametrize("arm", ["ASSESSED", None])
@pytest.mark.parametrize(
    ("word", "entries", "household", "left"),
    [
        ("NONE", (), Household.DROP_FAMILY, ["p1", "p2"]),
        ("OPTOUT", (), Household.DROP_FAMILY, ["p2"]),
        ("NONE", (("objection", SAID_NO),), Household.DROP_FAMILY, ["p2"]),
        ("OPTOUT", (("objection", SAID_NO),), Household.DROP_PERSON, ["p1", "p2"]),
    ],
)
def test_a_no_beside_the_cohort_by_column_and_by_register(
    scratch, word, entries, household, left, arm
):
    asked = dataclasses.replace(plan([rule("family_register", "sex")]), household=household)
    sources = {"family_register": Source(REGISTER, (Stored([a_home(word, arm)]),))}
    cohort = select(asked, sources, scratch, elements=("nhs",))
    willing = honour(cohort, register_of(*entries))
    frame = pl.concat(list(willing.partitions))
    assert frame["person"].to_list() == left
    assert willing.received == 2 == frame.height + sum(willing.counts.values())


@pytest.mark.parametrize(
    "more",
    [
        {"household": Household.DROP_PERSON},
        {"participation": Participation.STATUTORY},
        {"cohort": CohortRule(name="c", dataset="family_register")},
    ],
)
def test_nothing_more_is_read_where_nobody_beside_the_cohort_can_hold_anybody(scratch, more):
    stored = Counted([people(30)])
    asked = dataclasses.replace(whole_families(plan([rule("family_register", "sex")])), **more)
    _, frame = chosen(asked, {"family_register": Source(REGISTER, (stored,))}, scratch)
    assert stored.readings == 1
    assert "spine.beside" not in frame.columns


def test_without_family_ids_and_for_one_person_nobody_stands_beside(scratch):
    terms = contract("family_register", *(c for c in REGISTER.columns if c.name != "family_id"))
    asked = whole_families(plan([rule("family_register", "sex")]))
    for terms_, only in ((terms, ""), (REGISTER, "p1")):
        stored = Counted([people(30)])
        sources = {"family_register": Source(terms_, (stored,))}
        select(asked, sources, scratch, elements=(), only=only)
        assert stored.readings == 1


def test_who_stands_beside_the_cohort_twice_refuses_nothing(scratch):
    twice = people(3).filter(pl.col("arm") == "ASSESSED")
    source = Source(REGISTER, (Stored([people(3)]), Stored([twice])))
    cohort, frame = chosen(
        whole_families(plan([rule("family_register", "sex")])), {"family_register": source}, scratch
    )
    assert (cohort.received, frame.height) == (2, 4)


def test_families_are_never_split_over_partitions(scratch, monkeypatch):
    monkeypatch.setattr(scattering, "PARTITION_ROWS", 40)
    monkeypatch.setattr(model_scattering, "TOGETHER_ROWS", 25)
    source = Source(REGISTER, (Stored([people(50, i * 50) for i in range(10)]),))
    cohort = select(
        plan([rule("family_register", "sex")]), {"family_register": source}, scratch, elements=()
    )
    seen: dict[str, int] = {}
    parts = list(cohort.partitions)
    assert len(parts) > 5
    for number, part in enumerate(parts):
        for family in part["family"].drop_nulls().unique():
            assert seen.setdefault(family, number) == number
    everyone = pl.concat(parts)["person"]
    assert cohort.received == everyone.len() == everyone.n_unique()


def test_a_person_who_stands_in_the_spine_twice_refuses(scratch):
    twice = Source(REGISTER, (Stored([people(30)]), Stored([people(30)])))
    with pytest.raises(RefusedError, match="sharing/spine-repeats"):
        chosen(plan([rule("family_register", "sex")]), {"family_register": twice}, scratch)


def dated(rows):
    columns = ["person_id", "family_id", "arm", "sex", "participation", "protected", "extract_date"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def test_the_latest_row_counts_with_what_any_row_says_against_sharing(scratch):
    terms = contract("family_register", *REGISTER.columns, column("extract_date"))
    rows = [
        ("p0", "f0", "PROG", "2", "OBJECTED", "Y", "2026-01-01"),
        ("p0", "f0", "PROG", "1", "NONE", "N", "2026-03-01"),
        ("p1", "f1", "PROG", "1", "CONSENT", "N", "2026-03-01"),
        ("p1", "f1", "PROG", "2", "NONE", "N", "2026-01-01"),
    ]
    source = Source(terms, (Stored([dated(rows[:2])]), Stored([dated(rows[2:])])))
    latest = dataclasses.replace(plan([rule("family_register", "sex")]), spine_take="latest")
    cohort, frame = chosen(latest, {"family_register": source}, scratch)
    told = {row["person"]: row for row in frame.to_dicts()}
    assert cohort.received == 2
    assert told["p0"]["in.family_register.sex"] == "1"
    assert told["p0"]["spine.participation"] == "OBJECTED"
    assert told["p0"]["spine.protected"] == "Y"
    assert told["p1"]["spine.participation"] == "CONSENT"
    assert "spine.order" not in frame.columns


def test_rows_without_person_id_are_one_person_by_number_or_name_and_birth(scratch):
    incidents = contract("family_register", column("person_id", Role.PERSON_ID), column("arm"))
    frame = pl.DataFrame(
        {
            "person_id": [None, None, None, None, "p1"],
            "arm": ["PROG"] * 5,
            "std.nhs": ["9990000018", "9990000018", None, None, None],
            "std.fn1": ["ADA", "ADA", "BOB", "BOB", None],
            "std.sn1": ["LI", "LEE", "ROE", "ROE", None],
            "std.dob": ["2010-01-01", None, "2011-01-01", "2011-01-01", None],
        }
    )
    latest = dataclasses.replace(plan([rule("family_register", "arm")]), spine_take="latest")
    source = Source(incidents, (Stored([frame]),))
    cohort, out = chosen(latest, {"family_register": source}, scratch, elements=())
    assert cohort.received == 3
    assert "std.nhs" not in out.columns


def test_a_join_that_meets_nobody_keeps_the_types_of_its_columns(scratch, monkeypatch):
    monkeypatch.setattr(scattering, "PARTITION_ROWS", 5)
    sources = {
        "family_register": Source(REGISTER, (Stored([people(60)]),)),
        "progress": progress([("p0", "T0", "1"), (None, "T0", "2"), (None, "T0", "3")]),
    }
    cohort, frame = chosen(plan(WIDE, JOIN), sources, scratch)
    assert cohort.received == 40
    assert frame["in.progress.fpd.T0"].drop_nulls().to_list() == ["1"]


def progress(rows):
    return Source(
        PROGRESS, (Stored([pl.DataFrame(rows, schema=["person_id", "wave", "fpd"], orient="row")]),)
    )


JOIN = [JoinRule(dataset="progress", on="person_id", take="wide-by:wave")]
WIDE = [
    rule("family_register", "sex"),
    rule("progress", "fpd", "fpd_T0", wave="T0"),
    rule("progress", "fpd", "fpd_T1", wave="T1"),
]


def test_waves_become_columns_and_a_missing_wave_is_missing(scratch):
    sources = {
        "family_register": Source(REGISTER, (Stored([people(6)]),)),
        "progress": progress(
            [("p0", "T0", "1"), ("p0", "T1", "2"), ("p1", "T1", "3"), ("px", "T0", "9")]
        ),
    }
    cohort, frame = chosen(plan(WIDE, JOIN), sources, scratch)
    told = {
        row["person"]: (row["in.progress.fpd.T0"], row["in.progress.fpd.T1"])
        for row in frame.to_dicts()
    }
    assert cohort.received == 4
    assert told == {"p0": ("1", "2"), "p1": (None, "3"), "p3": (None, None), "p4": (None, None)}


def test_a_join_that_would_multiply_the_spine_refuses(scratch):
    sources = {
        "family_register": Source(REGISTER, (Stored([people(6)]),)),
        "progress": progress([("p0", "T0", "1"), ("p0", "T0", "2")]),
    }
    one = [JoinRule(dataset="progress", on="person_id", take="one")]
    for joins in (JOIN, one):
        with pytest.raises(RefusedError, match="sharing/join-multiplies"):
            chosen(plan(WIDE, joins), sources, scratch)


def test_the_latest_row_is_taken_where_the_agreement_says_so(scratch):
    dated = contract(
        "progress", column("person_id", Role.PERSON_ID), column("extract_date"), column("fpd")
    )
    rows = [("p0", "2026-03-01", "new"), ("p0", "2026-01-01", "old")]
    frame = pl.DataFrame(rows, schema=["person_id", "extract_date", "fpd"], orient="row")
    sources = {
        "family_register": Source(REGISTER, (Stored([people(1)]),)),
        "progress": Source(dated, (Stored([frame]),)),
    }
    joins = [JoinRule(dataset="progress", on="person_id", take="latest")]
    _, out = chosen(plan([rule("progress", "fpd")], joins), sources, scratch)
    assert out["in.progress.fpd"].to_list() == ["new"]


@pytest.mark.parametrize("which", ["spine", "join"])
def test_what_has_no_person_id_cannot_be_joined(scratch, which):
    nameless = contract("x", column("arm"), column("fpd"), column("wave"))
    sources = {
        "family_register": Source(
            nameless if which == "spine" else REGISTER, (Stored([people(3)]),)
        ),
        "progress": Source(nameless if which == "join" else PROGRESS, (Stored([people(3)]),)),
    }
    with pytest.raises(RefusedError, match="sharing/no-person-id"):
        chosen(plan([], JOIN), sources, scratch)


def test_a_spine_without_person_ids_counts_its_rows(scratch):
    nameless = contract("family_register", column("arm"), column("sex"))
    source = Source(nameless, (Stored([people(4), people(5)]),))
    cohort, frame = chosen(
        plan([rule("family_register", "sex")], within=()), {"family_register": source}, scratch
    )
    assert cohort.received == 9
    assert frame["person"].to_list() == [f"row:{i}" for i in range(9)]


def test_cohort_conditions_all_hold_and_missing_is_no_match():
    days = [dt.date(2026, 1, 1), dt.date(2026, 6, 1), None]
    frame = pl.DataFrame({"arm": ["PROG", "PROG", None], "day": days})
    between = (("day", dt.date(2026, 1, 1), dt.date(2026, 5, 31)),)
    first = CohortRule(name="c", dataset="d", within=(("arm", ("PROG",)),), between=between)
    assert frame.filter(cohort_filter(first)).height == 1
    opened = CohortRule(name="c", dataset="d", between=(("day", None, dt.date(2026, 6, 1)),))
    assert frame.filter(cohort_filter(opened)).height == 2


def test_a_dataset_that_sent_nothing_joins_as_missing(scratch):
    sources = {
        "family_register": Source(REGISTER, (Stored([people(3)]),)),
        "progress": Source(PROGRESS, (Stored([]),)),
    }
    _, frame = chosen(plan(WIDE, JOIN), sources, scratch)
    assert frame["in.progress.fpd.T0"].null_count() == frame.height == 2


def test_an_extract_that_has_not_all_columns_is_of_another_contract(scratch):
    before = Stored([people(3).drop("participation")])
    source = Source(REGISTER, (Stored([people(3)]), before))
    with pytest.raises(RefusedError, match="sharing/extract-of-another-contract"):
        chosen(plan([rule("family_register", "sex")]), {"family_register": source}, scratch)


def test_what_a_release_reads_is_what_it_sends_and_who_may_not_be_in_it():
    source = Source(REGISTER, ())
    told = source.read_by(plan([rule("family_register", "sex")]))
    assert told == ("arm", "family_id", "participation", "person_id", "protected", "sex")
    wide = [JoinRule(dataset="progress", on="person_id", take="wide-by:wave")]
    beside = Source(PROGRESS, ()).read_by(plan([rule("progress", "fpd")], wide))
    assert beside == ("fpd", "person_id", "wave")


def test_names_that_the_standard_form_does_not_keep_come_with_the_cohort(scratch):
    named = dataclasses.replace(
        REGISTER,
        columns=(*REGISTER.columns, column("given", Role.FORENAME), column("last", Role.SURNAME)),
    )
    block = people(3).with_columns(
        pl.Series("given", ["Ada", "Анна", None]),
        pl.Series("last", ["Quill", "Иванов", "Test"]),
        pl.Series("std.fn1", ["ADA", None, None]),
        pl.Series("std.sn1", ["QUILL", None, None]),
    )
    asked = plan([rule("family_register", "sex")], within=())
    sources = {"family_register": Source(named, (Stored([block]),))}
    _, frame = chosen(asked, sources, scratch, elements=("fn1", "sn1", "unkept"))
    told = frame.sort("person").select("std.unkept.fn", "std.unkept.sn")
    assert told.rows() == [(None, None), ("ANNA", "IVANOV"), (None, "TEST")]
    assert not {"given", "last"} & set(frame.columns)
