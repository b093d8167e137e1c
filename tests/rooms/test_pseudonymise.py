"""No identifier leaves: link ids are new each time, tokens are under keys, gaps are at random."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.spill import ScratchDirectory
from gateway.errors import RefusedError
from gateway.identity import PseudonymKey, TokenKey, token_texts
from gateway.minimise import Masking, minimise
from gateway.model import IdentifierForm, OutputPlan
from gateway.model.stages import Willing, narrowed
from gateway.model.tokens import expand_token_names
from gateway.model.words import Role
from gateway.pseudonymise import OutputKeys, pseudonymise
from tests.oracle import pseudonyms as oracle
from tests.rooms.objection_people import Blocks
from tests.rooms.test_disclosure_groups import a_plan, a_rule, an_output
from tests.rooms.test_identity import standardised

UNIT_KEY, TOKEN, SUBJECT, PSEUDONYM = (bytes([n]) * 32 for n in (1, 2, 3, 4))
KEYS = {
    "linkage": OutputKeys(token=TokenKey(TOKEN)),
    "partner": OutputKeys(pseudonym=PseudonymKey(PSEUDONYM), subject=SUBJECT),
    "facts": OutputKeys(),
}
NOBODY_MASKED = Masking(seed=1, one_in=0)
TOKENS = expand_token_names(["T01..T39", "TN-nhs"])
LINKAGE = replace(
    an_output("linkage", None), identifiers=IdentifierForm.TOKENS, tokens=TOKENS, slots=1
)
PARTNER = replace(
    an_output("partner", None, a_rule("case", "pseudonym"), a_rule("arm")),
    identifiers=IdentifierForm.PSEUDONYM,
)
FACTS = an_output("facts", None, a_rule("arm"), a_rule("sex", codes=("F", "M")))


@dataclass(frozen=True)
class Person:
    """Somebody made up, as a source would send them."""

    forename: str | None = "Bea"
    surname: str | None = "Green"
    former: str | None = None
    born: str | None = "2001-02-03"
    postcode: str | None = "ZA1 1AA"
    family: str | None = None
    arm: str = "PROG"
    case: str | None = "c-1"

    def row(self, surname: str | None) -> dict[str, str | None]:
        """As the second implementation reads them, under one of their surnames."""
        told = {"forename": self.forename, "surname": surname, "date_of_birth": self.born}
        return {**told, "postcode": self.postcode, "sex": "F"}


def a_frame(people: list[Person], *, start: int = 0) -> pl.DataFrame:
    known = standardised(
        {
            Role.FORENAME: [each.forename for each in people],
            Role.SURNAME: [each.surname for each in people],
            Role.DATE_OF_BIRTH: [each.born for each in people],
            Role.POSTCODE: [each.postcode for each in people],
            Role.SEX: ["F" for _ in people],
            Role.FORMER_SURNAME: [each.former for each in people],
        },
    )
    texts = {
        "person": [f"p{start + n}" for n in range(len(people))],
        "family": [each.family for each in people],
        "in.family_register.arm": [each.arm for each in people],
        "in.family_register.sex": ["F" for _ in people],
        "in.family_register.case": [each.case for each in people],
        "spine.protected": ["N" for _ in people],
    }
    columns = [pl.Series(name, values, dtype=pl.String) for name, values in texts.items()]
    return pl.DataFrame([*columns, *known.rename(lambda name: f"std.{name}").get_columns()])


@dataclass
class Release:
    """One release: what came out, who got which link id, and all of it again where asked."""

    frame: pl.DataFrame
    frames: list[pl.DataFrame]
    maps: list[pl.DataFrame] = field(default_factory=list)


@pytest.fixture
def released(tmp_path: Path) -> Callable[..., Release]:
    return lambda *given_, **more: release(tmp_path, *given_, **more)


def release(
    directory: Path,
    blocks: list[list[Person]],
    *outputs: OutputPlan,
    keys: dict[str, OutputKeys] | None = None,
    unit_key: bytes = UNIT_KEY,
) -> Release:
    places = [sum(map(len, blocks[:n])) for n in range(len(blocks))]
    frames = tuple(a_frame(block, start=at) for block, at in zip(blocks, places, strict=True))
    count = sum(frame.height for frame in frames)
    willing = Willing(a_plan(*outputs), Blocks(frames), count, {}, doubtful=0, register_sequence=7)
    maps: list[pl.DataFrame] = []
    with ScratchDirectory(directory, budget=0) as scratch:
        made = pseudonymise(
            minimise(willing, masking=NOBODY_MASKED),
            KEYS | (keys or {}),
            unit_key=unit_key,
            scratch=scratch,
            entropy=os.urandom,
            link_map=maps.append,
        )
        read = list(made.partitions)
        assert all(frame.equals(again) for frame, again in zip(read, made.partitions, strict=True))
        links = narrowed(made.partitions, {"link_id"}.__contains__)
        for frame, again in zip(read, links, strict=True):
            assert frame.select("link_id").equals(again)
    assert (made.rows, made.received) == (count, count)
    return Release(pl.concat(read), read, maps)


def texts(column: pl.Series) -> list[str]:
    """Sixteen bytes a row, as they are written to a file."""
    return token_texts(column.arr.to_list().cast(pl.Binary)).to_list()


NAMES = st.sampled_from([None, "Ann", "Mary Ann", "Li"])
SURNAMES = st.sampled_from([None, "Green", "de Witt", "Li"])
PEOPLE = st.lists(
    st.builds(
        Person,
        forename=NAMES,
        surname=SURNAMES,
        former=SURNAMES,
        born=st.sampled_from([None, "2001-02-03"]),
        postcode=st.sampled_from([None, "ZA1 1AA"]),
    ),
    min_size=1,
    max_size=6,
)


SYNTHETIC: dict[str, object] = {"population": "synthetic"}


def token_of(person: Person, slot: int, name: str) -> str | None:
    """One token by the second implementation; a former name makes those of a surname only."""
    if slot and (not person.former or not oracle_changes(name)):
        return None
    row = oracle.elements(person.row(person.former if slot else person.surname), SYNTHETIC)
    return oracle.token(row, name, TOKEN)


def oracle_changes(name: str) -> bool:
    """Whether the token is another under another surname."""
    row = Person().row("Green") | {"house_number": "1", "street": "High St", "town": "A"}
    tokens = {
        oracle.token(oracle.elements(row | {"surname": surname}, SYNTHETIC), name, TOKEN)
        for surname in ("Green", "Witt")
    }
    return len(tokens) == 2


@settings(max_examples=60, deadline=None)
@given(PEOPLE, st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8, unique=True))
def test_each_token_is_the_published_one_and_every_gap_is_filled_at_random(
    tmp_path_factory: pytest.TempPathFactory, people: list[Person], names: list[str]
) -> None:
    output = replace(LINKAGE, tokens=tuple(names))
    made = release(tmp_path_factory.mktemp("r"), [people], output).frame
    for slot in range(1 + output.alias_slots):
        for name in names:
            column = texts(made[f"token.linkage.{slot}.{name}"])
            wanted = [token_of(person, slot, name) for person in people]
            told = [is_ if want else None for is_, want in zip(column, wanted, strict=True)]
            assert told == wanted
            filled = [is_ for is_, want in zip(column, wanted, strict=True) if not want]
            assert len(set(filled)) == len(filled)
            assert not set(filled) & set(wanted)


def test_a_former_name_that_nobody_has_fills_its_rows_at_random(released) -> None:
    # The dataset gives one former surname; the agreement allows three.
    output = replace(LINKAGE, tokens=("T08", "T21"), slots=3)
    made = released([[Person(former="de Witt"), Person()]], output).frame
    named = [name for name in made.columns if name.startswith("token.")]
    assert named == [f"token.linkage.{slot}.{name}" for slot in range(4) for name in output.tokens]
    first, *others = (texts(made[f"token.linkage.{slot}.T08"]) for slot in range(4))
    assert first[0] == first[1]
    assert len({first[0], *(each for column in others for each in column)}) == 7


def test_no_token_or_pseudonym_is_made_without_its_key(released) -> None:
    for output in (LINKAGE, PARTNER, replace(PARTNER, identifiers=IdentifierForm.NONE)):
        with pytest.raises(RefusedError, match="pseudonymise/no-key") as refused:
            released([[Person()]], output, keys={output.name: OutputKeys()})
        assert "gateway keys grant" in refused.value.remedy


def test_link_ids_are_new_in_every_release_and_the_map_alone_says_whose(released) -> None:
    blocks = [[Person(), Person()], [Person()]]
    made = [released(blocks, FACTS) for _ in range(2)]
    links = [texts(each.frame["link_id"]) for each in made]
    assert len({*links[0], *links[1]}) == 6
    for release_, each in zip(made, links, strict=True):
        told = pl.concat(release_.maps)
        assert told.columns == ["person", "link_id"]
        assert told["person"].to_list() == ["p0", "p1", "p2"]
        assert texts(told["link_id"]) == each


def test_a_row_says_who_it_is_about_in_no_column(released) -> None:
    made = released([[Person(family="fam-1")]], LINKAGE, PARTNER, FACTS).frame
    tokens = [f"token.linkage.{slot}.{name}" for slot in range(2) for name in TOKENS]
    assert set(made.columns) == {
        *tokens,
        *("link_id", "mark", "unit", "pseudonym.partner"),
        *("payload.partner.case", "payload.partner.arm", "payload.facts.arm", "payload.facts.sex"),
    }
    seen = {str(value) for value in made.row(0)}
    assert not seen & {"p0", "fam-1", "c-1", "Bea", "BEA", "GREEN", "2001-02-03", "ZA11AA"}


def test_families_are_marked_alike_in_each_release_and_who_has_none_is_one(released) -> None:
    people = [Person(family="f1"), Person(family="f1"), Person(), Person(), Person(family="f2")]
    made = released([people[:3], people[3:]], FACTS).frame
    assert made["mark"].n_unique() == 5
    assert made["unit"].n_unique() == 4
    assert made["unit"][0] == made["unit"][1]
    alone = [made["unit"][n] == made["mark"][n] for n in range(5)]
    assert alone == [False, False, True, True, False]
    again = released([people], FACTS).frame
    for name in ("mark", "unit"):
        assert again[name].to_list() == made[name].to_list()
        assert made[name].dtype == pl.UInt64
    other = released([people], FACTS, unit_key=bytes(32)).frame
    assert not {*other["mark"], *other["unit"]} & {*made["mark"], *made["unit"]}


def test_a_pseudonym_is_of_an_internal_id_and_the_same_in_each_release(released) -> None:
    people = [Person(case="c-1"), Person(case="c-2"), Person(case="c-1"), Person(case=None)]
    made = released([people], PARTNER).frame
    again = released([people[:2], people[2:]], PARTNER).frame
    cases, persons = (texts(made[f"{name}"]) for name in ("payload.partner.case", PSEUDONYMS))
    assert cases == texts(again["payload.partner.case"])
    assert persons == texts(again[PSEUDONYMS])
    assert cases == [published(case) for case in ("c-1", "c-2", "c-1", None)]
    assert persons == [published(f"p{n}") for n in range(4)]


PSEUDONYMS = "pseudonym.partner"


def published(subject: str | None) -> str | None:
    """A pseudonym by the second implementation."""
    if subject is None:
        return None
    inner = {"key": SUBJECT, "digest_size": 16, "person": b"sfg1/subject-id."}
    internal = hashlib.blake2b(subject.encode(), **inner).hexdigest()
    return oracle.base32(oracle.digest(PSEUDONYM, "pseudonym", [internal]))


def test_a_partition_of_nobody_leaves_nothing(released) -> None:
    made = released([[], [Person()], []], FACTS)
    assert [frame.height for frame in made.frames] == [1]
    assert len(made.maps) == 1


def test_columns_of_few_values_are_held_as_numbers_and_say_the_same(released) -> None:
    made = released([[Person(arm="PROG"), Person(arm="COMP")]], FACTS).frame
    assert made["payload.facts.sex"].dtype == pl.Categorical
    assert made["payload.facts.arm"].dtype == pl.String
    assert made["payload.facts.arm"].to_list() == ["PROG", "COMP"]
    assert made["payload.facts.sex"].to_list() == ["F", "F"]
