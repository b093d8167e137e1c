"""Who objected by a name that the standard form does not keep never leaves: whatever the script.

Fails without `identity.unkept_columns`: of these names `std1` keeps nothing on either side.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.model import Participation
from gateway.objections import FIELDS, Register, compare, decide, resolve, standard_form
from gateway.objections.matching import references
from tests.rooms.objection_people import register_from

Told = Mapping[str, str | None]

# Forename and surname: by script, by letters of their own, by placeholder, by shortness.
NAMES: Final = {
    "cyrillic": ("Анна", "Иванов"),
    "arabic": ("محمد", "خان"),
    "arabic-with-signs": ("مُحَمَّد", "الحُسَيْن"),
    "chinese": ("小明", "张"),
    "japanese": ("さくら", "タナカ"),
    "korean": ("민준", "김"),
    "greek": ("Ελένη", "Παπαδόπουλος"),
    "hebrew": ("דָּוִד", "כהן"),
    "devanagari": ("प्रिया", "शर्मा"),
    "georgian": ("ნინო", "ბერიძე"),
    "armenian": ("Անի", "Պետրոսյան"),
    "thai": ("สมชาย", "ใจดี"),
    "ethiopic": ("አበበ", "በቀለ"),
    "mixed": ("Анна-Maria", "Иванов-Smith"),
    "mixed-letters": ("Zoë张", "Øst김"),
    "latin": ("Łukasz", "Ørsted"),
    "turkish": ("Işıl", "Yıldız"),
    "german": ("Jürgen", "Weiß"),
    "vietnamese": ("Nguyễn", "Đặng"),
    "schwa": ("Əli", "ʻOkina"),
    "placeholder": ("Baby", "Test"),
    "unknown": ("Unknown", "Unknown"),
    "initials": ("A", "B"),
    "digits": ("4", "7"),
    "name-with-digits": ("J0", "Sm1th"),
    "soft-sign": ("Ь", "Ъ"),
}
OTHERS: Final = [("Sunniva", "Quarmby"), ("Пётр", "Сидоров"), ("علي", "حسن"), ("丽", "王")]


def person(forename: str | None, surname: str | None, **more: str) -> Told:
    return dict.fromkeys(FIELDS) | {"forename": forename, "surname": surname} | more


def standard(people: Sequence[Told]) -> pl.DataFrame:
    return standard_form(pl.DataFrame(people, dict.fromkeys(FIELDS, pl.String)))


def register_with(*told: Told) -> Register:
    identities = standard(told).with_columns(
        pl.Series("sequence", range(1, len(told) + 1), dtype=pl.Int64)
    )
    return register_from(identities, ["objection"] * len(told), sequence=len(told))


def as_cohort(people: Sequence[Told]) -> pl.DataFrame:
    frame = standard(people).rename(lambda name: f"std.{name}")
    return frame.with_columns(pl.Series("person", [f"p{n}" for n in range(len(people))]))


def held(people: Sequence[Told], register: Register) -> list[bool]:
    cohort = as_cohort(people)
    found = resolve(compare(cohort, register), register, participation=Participation.OBJECTION)
    return decide(cohort, found).is_not_null().to_list()


def in_extract(forename: str, surname: str) -> Told:
    return person(
        forename, surname, date_of_birth="1980-02-03", postcode="ZA1 1AA", sex="1", town="Ambleton"
    )


def the_others() -> list[Told]:
    return [
        person(*names, date_of_birth=f"197{n}-05-0{n + 1}", postcode=f"ZB{n + 1} 2AD")
        for n, names in enumerate(OTHERS)
    ]


# What an objection tells beside the name: nothing, an old or the present address, the birth date.
BESIDE: Final[Mapping[str, Mapping[str, str]]] = {
    "name-alone": {},
    "other-postcode": {"postcode": "ZD9 9DD"},
    "same-postcode": {"postcode": "ZA1 1AA"},
    "birth-date": {"date_of_birth": "1980-02-03"},
    "birth-date-and-another-house": {
        "date_of_birth": "1980-02-03",
        "postcode": "ZD9 9DD",
        "house_number": "9",
    },
    "number-unknown-here": {"nhs_number": "9990000018"},
}


@pytest.mark.parametrize("beside", list(BESIDE))
@pytest.mark.parametrize("kind", list(NAMES))
def test_who_objected_by_exactly_their_own_name_is_held(kind: str, beside: str) -> None:
    names = NAMES[kind]
    people = [in_extract(*names), *the_others()]
    register = register_with(person(*names, **BESIDE[beside]))
    assert held(people, register)[0]


@pytest.mark.parametrize("kind", ["cyrillic", "greek", "georgian", "latin", "turkish"])
def test_a_name_in_latin_letters_does_not_hold_nor_free_by_its_script_alone(kind: str) -> None:
    people = [in_extract(*NAMES[kind]), *the_others()]
    assert held(people, register_with(person(*NAMES[kind])))[1] is False


def test_a_name_alone_holds_who_is_written_in_other_letters_because_nothing_speaks_against() -> (
    None
):
    people = [in_extract("محمد", "خان"), in_extract("Sunniva", "Quarmby")]
    assert held(people, register_with(person("Mohammed", "Khan"))) == [True, False]


def test_a_name_alone_holds_who_has_no_name_at_all() -> None:
    people = [person(None, None, date_of_birth="1980-02-03"), in_extract("Sunniva", "Quarmby")]
    assert held(people, register_with(person("Mohammed", "Khan"))) == [True, False]


@pytest.mark.parametrize(
    ("entry", "extract"),
    [(("Mohammed", "Khan"), ("محمد", "خان")), (("محمد", "خان"), ("Mohammed", "Khan"))],
)
def test_one_birth_date_holds_across_scripts(
    entry: tuple[str, str], extract: tuple[str, str]
) -> None:
    born = {"date_of_birth": "1980-02-03", "sex": "1", "postcode": "ZD9 9DD", "house_number": "9"}
    other = person("Sunniva", "Quarmby", date_of_birth="1980-02-04", postcode="ZC1 1AA")
    people = [in_extract(*extract), other]
    assert held(people, register_with(person(*entry, **born))) == [True, False]


def test_a_slip_in_another_script_does_not_bring_the_person_back() -> None:
    people = [in_extract("Анна", "Иваноф")]
    assert held(people, register_with(person("Анна", "Иванов"))) == [True]


def test_a_former_surname_in_another_script_holds() -> None:
    people = [in_extract("Анна", "Иванова")]
    entry = person("Анна", "Смирнова", former_surname="Иванова")
    assert held(people, register_with(entry)) == [True]
    before = person("Анна", "Смирнова") | {"former_surname": "Иванова"}
    assert held([before], register_with(person("Анна", "Иванова"))) == [True]


def test_everyone_of_a_placeholder_surname_is_held() -> None:
    people = [in_extract(f"{letter}o", "Test") for letter in "JMKL"]
    assert held(people, register_with(person(None, "Test"))) == [True] * 4


def test_who_fits_every_entry_waits_until_each_is_settled() -> None:
    people = [in_extract("محمد", "خان")]
    register = register_with(person("Sunniva", "Quarmby"), person("Tobias", "Zell"))
    match = references(as_cohort(people), register.matching)[0]

    def without(*sequences: int) -> Register:
        settled = pl.DataFrame(
            [{"sequence": each, "match": match, "same": False} for each in sequences],
            schema=register.settled.schema,
        )
        return Register(
            entries=register.entries,
            tombstones=register.tombstones,
            identities=register.identities,
            key=register.key,
            settled=settled,
        )

    assert held(people, without(1)) == held(people, without(2)) == [True]
    assert held(people, without(1, 2)) == [False]


def test_another_name_in_another_script_asks_again() -> None:
    one, other = as_cohort([in_extract("محمد", "خان")]), as_cohort([in_extract("علي", "خان")])
    assert references(one, bytes(32))[0] != references(other, bytes(32))[0]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_exactly_their_own_strings_never_let_a_person_leave(data: st.DataObject) -> None:
    letters = st.characters(categories=["Lu", "Ll", "Lt", "Lm", "Lo", "Nd"])
    written = st.one_of(
        st.sampled_from([name for names in NAMES.values() for name in names]),
        st.text(letters, min_size=1, max_size=8),
    )
    people = [
        in_extract(*names) if data.draw(st.booleans()) else person(*names)
        for names in data.draw(st.lists(st.tuples(written, written), min_size=1, max_size=6))
    ]
    who = data.draw(st.integers(0, len(people) - 1))
    names = (people[who]["forename"], people[who]["surname"])
    beside = BESIDE[data.draw(st.sampled_from(sorted(BESIDE)))]
    entry = person(*names, **beside)
    forename_told = data.draw(st.booleans())
    if not forename_told:
        entry = {**entry, "forename": None}
    assume(any(each.isalnum() for each in names[1] or ""))
    assert held(people, register_with(entry))[who]


def test_many_objectors_by_name_alone_are_compared_in_blocks_not_each_with_each() -> None:
    chance = random.Random(5)
    letters = "абвгдежзиклмнопрст"

    def name() -> str:
        return "".join(chance.choices(letters, k=7)).capitalize()

    people = [in_extract(name(), name()) for _ in range(4000)]
    entries = [person(each["forename"], each["surname"]) for each in people[:2000]]
    hits = compare(as_cohort(people), register_with(*entries))
    assert held(people[:2000], register_with(*entries)) == [True] * 2000
    assert hits.height < 20_000
