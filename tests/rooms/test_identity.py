"""Identity gives the bytes of the published page, as a second implementation reads it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway import identity
from gateway.errors import RefusedError, UsageError
from gateway.identity import names
from gateway.model.contract import Contract, ContractColumn
from gateway.model.tokens import (
    ELEMENTS,
    TOKEN_NAMES,
    WEAK_TOKENS,
    component_elements,
    expand_token_names,
    token_elements,
)
from gateway.model.words import Role
from tests.oracle import pseudonyms as oracle

ROLES = [role for role in Role if role not in {Role.PERSON_ID, Role.FAMILY_ID, Role.FORMER_SURNAME}]
ROOT = bytes(range(32))


def contract(*roles: Role, **settings: object) -> Contract:
    columns = tuple(
        ContractColumn(name=f"{role.value}_{i}", field=role.value, type="text", role=role)
        for i, role in enumerate(roles)
    )
    given_settings = {"population": "synthetic", **settings}
    return Contract(
        id="people", title="People", version=1, parties=("p",), columns=columns, **given_settings
    )  # type: ignore[arg-type]


def standardised(values: dict[Role, list[str | None]], **settings: object) -> pl.DataFrame:
    agreed = contract(*values, **settings)
    frame = pl.DataFrame(
        {
            column.name: pl.Series(texts, dtype=pl.String)
            for column, texts in zip(agreed.columns, values.values(), strict=True)
        }
    )
    return identity.standardise(frame, agreed)


def one(role: Role, text: str | None, element: str, **settings: object) -> str | None:
    return standardised({role: [text]}, **settings)[element][0]


TEXTS: dict[Role, list[str]] = {
    Role.FORENAME: [
        *("Mr John-Paul", "José", "unknown", "NA", "Dr Łukasz", "Mary Ann", "Baby", "王", "LEE"),
        *("Bob", "ABBIE", "Mr", "Mr Dr", "Dr Miss Baby", "ﬁona", "Ægir", "Þor", "Straße", "N/A"),
        *(
            "not  known",
            "Not\u00a0Known",
            "x\u2013y",
            "Jo\u200bAnn",
            "O'Neil",
            "’Ali",
            "-9",
            "1Sam",
        ),
    ],
    Role.MIDDLE_NAMES: ["", "Lee Ann", "N/A", "x", "Mrs Kay"],
    Role.SURNAME: [
        *("van der Berg", "O’Brien", "NA", "St. John-Smith", "Mac Donald de la", "DE LA", "La by"),
        *(
            "Ba by",
            "Mc\tKay",
            "de L Smith",
            "Smith",
            "Sir",
            "Lady de",
            "Bin O",
            "Đurić",
            "O'",
            "Al-Ali",
        ),
    ],
    Role.DATE_OF_BIRTH: [
        *("2001-02-28", "2001-02-30", "1900-01-01", "1895-01-01", "1894-12-31", "2001-2-3"),
        *(" 2010-10-10 ", "20010203", "0000-01-01", "２001-01-01", "2004-02-29"),
    ],
    Role.SEX: ["1", "2", "M", "0", "9", " 1 ", "male"],
    Role.POSTCODE: [
        *("za1 1aa", "ZZ99 3VZ", "M1 1CA", "n1p 3aa", "ZA12 3BB", "ZA1A1AA", "gir 0aa", "W1A0AX"),
        *("QA1 1AA", "M33-4DX", "EC1A.1BB", "ZA1 1A", "ſA1 1AA", "AI1 1AA", "4814", "0800", "1"),
    ],
    Role.HOUSE_NUMBER: [
        "012b",
        "12AB",
        "Flat 3",
        "12-14",
        "0",
        "12 a",
        "7",
        "3A3",
        "000",
        "9É",
        "-9",
    ],
    Role.STREET: [
        *("12a High St", "Acacia Rd.", "1 St Mary's Rd", "St", "12/14 The Ave", "unknown", "7"),
        *("Foo-Bar Cl", "1st Ave", "12A, 14 Rue É", "12 A", "5-", "3AB Road", "1 2 3 Go Ln"),
    ],
    Role.TOWN: ["Stockton-on-Tees", "St. Helens", "n/a", "é", "A  B", "LEEDS 9"],
    Role.UPRN: ["0012", "1" * 13, "0" * 5 + "1" * 12, "-9", "000", "1", " 7 ", "1.0", "１"],
    Role.NHS_NUMBER: [
        *(
            "999 000 0018",
            "9434765919",
            "943-476-5919",
            "9999999999",
            "0000000000",
            "1",
            "9434765918",
        ),
    ],
    Role.UPN: ["A001000012001", "H801200001001", "h801200001001", "H80120000100A", "I801200001001"],
    Role.NINO: [
        *(
            "AB123456C",
            "ab 12 34 56 c",
            "QQ123456C",
            "AB123456",
            "AB123456E",
            "OO123456A",
            "zz123456",
        ),
        *("CR123456A", "BG123456A", "DA123456A", "AO123456A", "ſA123456A", "AB12345"),
    ],
}


def texts_of(role: Role) -> st.SearchStrategy[str | None]:
    free = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
    words = st.lists(
        st.sampled_from(
            ["mr", "de", "la", "Smith", "ba", "by", "12", "12a", "st", "-", "É", "ann", "o"]
        ),
        max_size=4,
    )
    spaced = st.tuples(words, st.sampled_from([" ", "-", "  ", ", "])).map(
        lambda p: p[1].join(p[0])
    )
    return st.none() | st.sampled_from(TEXTS[role]) | free | spaced


people = st.fixed_dictionaries({role.value: texts_of(role) for role in ROLES})


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(people, min_size=1, max_size=12),
    population=st.sampled_from(["synthetic", "residents"]),
    form=st.sampled_from(["", "digits"]),
    sex=st.sampled_from(["", "not-collected"]),
)
def test_standardisation_agrees_with_the_second_implementation(
    rows: list[dict[str, str | None]], population: str, form: str, sex: str
) -> None:
    terms = {"population": population, "postcode_form": form, "sex": sex}
    found = standardised({role: [row[role.value] for row in rows] for role in ROLES}, **terms)
    assert found.to_dicts() == [oracle.elements(row, dict(terms)) for row in rows]


def test_every_listed_text_agrees_with_the_second_implementation() -> None:
    for role, texts in TEXTS.items():
        for population in ("synthetic", "residents"):
            found = standardised({role: [*texts, None] * 3}, population=population)
            for row, text in enumerate([*texts, None] * 3):
                wanted = oracle.elements({role.value: text}, {"population": population})
                assert found.row(row, named=True) == {k: wanted[k] for k in found.columns}


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(people, min_size=1, max_size=12))
def test_every_token_agrees_with_the_second_implementation(
    rows: list[dict[str, str | None]],
) -> None:
    found = standardised({role: [row[role.value] for row in rows] for role in ROLES})
    key = identity.study_token_key(
        identity.StudyRoot(ROOT), "study-1", linkage_unit="unit-1", epoch="e1"
    )
    made = identity.token_columns(found, TOKEN_NAMES, key)
    other = oracle.token_key(ROOT, "study-1", "unit-1", "e1")
    for name in TOKEN_NAMES:
        wanted = [oracle.token(row, name, other) for row in found.to_dicts()]
        assert identity.token_texts(made[name]).to_list() == wanted, name


@given(text=texts_of(Role.SURNAME), surname=st.booleans())
def test_standard_names_are_already_standard(text: str | None, surname: bool) -> None:
    once = names.standard_names(pl.Series([text], dtype=pl.String), surname=surname)
    # Some names become a word for a missing one ("Ñá" is NA); nobody reads that again.
    assume(names.present(once, surname=surname).equals(once))
    assert names.standard_names(once, surname=surname).equals(once)


@pytest.mark.parametrize(
    "role",
    [
        Role.POSTCODE,
        Role.HOUSE_NUMBER,
        Role.UPRN,
        Role.NHS_NUMBER,
        Role.UPN,
        Role.NINO,
        Role.STREET,
        Role.TOWN,
        Role.SEX,
        Role.DATE_OF_BIRTH,
    ],
)
def test_standard_elements_are_already_standard(role: Role) -> None:
    once = standardised({role: list(TEXTS[role])})
    again = standardised({role: once.to_series().to_list()})
    assert again.equals(once)


def test_repeated_values_give_the_same_as_single_ones() -> None:
    single = standardised(
        {role: list(TEXTS[Role.SURNAME]) for role in (Role.FORENAME, Role.SURNAME)}
    )
    many = standardised(dict.fromkeys((Role.FORENAME, Role.SURNAME), TEXTS[Role.SURNAME] * 7))
    assert many.equals(pl.concat([single] * 7))


def test_only_elements_of_the_contracts_roles_appear() -> None:
    found = standardised({Role.SURNAME: ["Smith"], Role.DATE_OF_BIRTH: ["2001-01-01"]})
    assert found.columns == ["sn1", "sn2", "snx", "dob"]
    assert identity.token_names(found.columns) == ()
    assert identity.token_names(["sn1", "dob", "st"]) == ("T35",)
    assert identity.token_names(ELEMENTS) == TOKEN_NAMES


def test_an_agreed_column_that_is_not_sent_is_missing() -> None:
    agreed = contract(Role.FORENAME, Role.SURNAME)
    found = identity.standardise(pl.DataFrame({"forename_0": ["Ann"]}), agreed)
    assert found["fn1"].to_list() == ["ANN"]
    assert found["sn1"].to_list() == [None]
    assert found["alpha"].to_list() == [None]


def test_sex_that_nobody_collects_is_a_dash_in_every_row() -> None:
    found = standardised({Role.FORENAME: ["Ann", None]}, sex="not-collected")
    assert found["sex"].to_list() == ["-", "-"]


def test_a_typed_date_of_birth_is_bounded_by_the_extract_date() -> None:
    columns = (
        ContractColumn(name="dob", field="date_of_birth", type="date", role=Role.DATE_OF_BIRTH),
        ContractColumn(name="made", field="extract_date", type="date"),
    )
    agreed = Contract(
        id="x",
        title="x",
        version=1,
        parties=("p",),
        columns=columns,
        placeholder_dates=(dt.date(1990, 1, 1),),
    )
    days = [dt.date(2020, 5, 1), dt.date(2020, 5, 2), dt.date(1990, 1, 1), None]
    frame = pl.DataFrame({"dob": days, "made": [dt.date(2020, 5, 1)] * 4})
    assert identity.standardise(frame, agreed)["dob"].to_list() == ["2020-05-01", None, None, None]
    later = identity.standardise(frame, agreed, extract_date=dt.date(2020, 5, 2))
    assert later["dob"].to_list() == ["2020-05-01", "2020-05-02", None, None]
    alone = identity.standardise(frame.drop("made"), agreed)
    assert alone["dob"].to_list() == ["2020-05-01", "2020-05-02", None, None]


def test_former_surnames_stand_in_slots_and_make_alias_tokens() -> None:
    former = (
        Role.FORENAME,
        Role.SURNAME,
        Role.DATE_OF_BIRTH,
        Role.FORMER_SURNAME,
        Role.FORMER_SURNAME,
    )
    agreed = contract(*former)
    frame = pl.DataFrame(
        [
            ["Ann", "Brown", "2001-01-01", "de Witt", None],
            ["Bea", "Green", "2002-01-01", None, None],
        ],
        schema=[(column.name, pl.String) for column in agreed.columns],
        orient="row",
    )
    found = identity.standardise(frame, agreed)
    assert found.columns[-6:] == [f"former{n}.{e}" for n in (1, 2) for e in ("sn1", "sn2", "snx")]
    alias = identity.alias_elements(found, "former1")
    plain = standardised(
        {Role.FORENAME: ["Ann"], Role.SURNAME: ["de Witt"], Role.DATE_OF_BIRTH: ["2001-01-01"]}
    )
    key = identity.study_token_key(identity.StudyRoot(ROOT), "s", linkage_unit="u", epoch="e")
    for name in ("T08", "T22", "T36"):
        made = identity.tokens(alias, name, key)
        assert made[0] == identity.tokens(plain, name, key)[0]
        assert made[1] is None
    with pytest.raises(UsageError, match="identity/no-such-slot"):
        identity.alias_elements(found, "former3")
    assert "fn1" not in identity.alias_elements(found.drop("fnx", "fn1"), "former1").columns


def test_long_names_are_sorted_too() -> None:
    long = "Zz" * 50
    found = standardised({Role.FORENAME: [long, "Ba", None], Role.SURNAME: ["Ab", "Aa", "Cc"]})
    assert found["alpha"].to_list() == ["AB" + "Z" * 100, "AAAB", None]
    assert standardised({Role.FORENAME: [None], Role.SURNAME: ["A"]})["alpha"].to_list() == [None]


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("ROBERT", "R163"),
        ("RUPERT", "R163"),
        ("ASHCRAFT", "A261"),
        ("TYMCZAK", "T522"),
        ("PFISTER", "P236"),
        ("HONEYMAN", "H555"),
        ("LEE", "L000"),
    ],
)
def test_soundex_is_the_american_one(name: str, sound: str) -> None:
    from gateway.identity.letters import soundex

    assert soundex(pl.Series([name, None, name])).to_list() == [sound, None, sound]
    assert oracle.soundex(name) == sound


def test_keys_of_two_uses_differ_and_are_the_published_ones() -> None:
    study = identity.StudyRoot(ROOT)
    base = identity.study_token_key(study, "s", linkage_unit="u", epoch="e").secret
    assert base == oracle.token_key(ROOT, "s", "u", "e")
    others = [
        identity.study_token_key(study, "s2", linkage_unit="u", epoch="e").secret,
        identity.study_token_key(study, "s", linkage_unit="u2", epoch="e").secret,
        identity.study_token_key(study, "s", linkage_unit="u", epoch="e2").secret,
        identity.study_token_key(study, "su", linkage_unit="u", epoch="e").secret,
        identity.pseudonym_key(identity.ControllerRoot(ROOT), "s", recipient="u", epoch="e").secret,
        identity.tombstone_key(identity.RegisterRoot(ROOT), "s", generation="1").secret,
    ]
    assert len({base, *others}) == 7
    check = identity.check_value(study, "s", epoch="e")
    assert check == oracle.hkdf(ROOT, oracle.frame("sfg1", "check", "std1", "s", "e"))[:8]


def test_a_root_of_one_kind_is_refused_where_another_is_expected() -> None:
    study, controller = identity.StudyRoot(ROOT), identity.ControllerRoot(ROOT)
    wrong = [
        lambda: identity.study_token_key(controller, "s", linkage_unit="u", epoch="e"),  # type: ignore[arg-type]
        lambda: identity.pseudonym_key(study, "s", recipient="u", epoch="e"),  # type: ignore[arg-type]
        lambda: identity.tombstone_key(study, "s", generation="e"),  # type: ignore[arg-type]
        lambda: identity.check_value(controller, "s", epoch="e"),  # type: ignore[arg-type]
        lambda: identity.tokens(pl.DataFrame(), "T01", study),  # type: ignore[arg-type]
        lambda: identity.pseudonyms(pl.Series(["0" * 32]), study),  # type: ignore[arg-type]
    ]
    for derive in wrong:
        with pytest.raises(RefusedError, match="identity/wrong-key-kind"):
            derive()


@pytest.mark.parametrize("bad", ["", "Study", "a b", "a" * 41, "é", "a\n", "a_b"])
def test_an_id_of_another_form_is_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="identity/bad-id"):
        identity.study_token_key(identity.StudyRoot(ROOT), bad, linkage_unit="u", epoch="e")


def test_a_key_shows_nothing_and_has_its_length() -> None:
    assert "secret" not in repr(identity.StudyRoot(ROOT))
    assert repr(ROOT) not in repr(identity.StudyRoot(ROOT))
    with pytest.raises(UsageError, match="identity/key-length"):
        identity.StudyRoot(b"short")


def test_pseudonyms_are_made_of_random_ids_only() -> None:
    key = identity.pseudonym_key(identity.ControllerRoot(ROOT), "p", recipient="r", epoch="e")
    subject = "0123456789abcdef" * 2
    made = identity.pseudonyms(pl.Series([subject]), key)
    assert made[0] == oracle.digest(key.secret, "pseudonym", [subject])
    assert identity.person_of("pseudonym") == b"sfg1/pseudonym.."
    for bad in ("case-17", "0" * 31, "0" * 33, "A" * 32):
        with pytest.raises(UsageError, match="identity/subject-id"):
            identity.pseudonyms(pl.Series([subject, bad]), key)


def test_tombstones_are_the_same_message_under_the_registers_key() -> None:
    found = standardised(
        {Role.FORENAME: ["Ann"], Role.SURNAME: ["Li"], Role.DATE_OF_BIRTH: ["2001-01-01"]}
    )
    key = identity.tombstone_key(identity.RegisterRoot(ROOT), "trafford", generation="1")
    wanted = oracle.digest(key.secret, "T36", ["A", "LI", "2001-01-01"])
    assert identity.tokens(found, "T36", key)[0] == wanted
    assert identity.component_columns(found, "T36").row(0) == ("A", "LI", "2001-01-01")


def test_a_token_without_its_elements_is_refused_by_name() -> None:
    key = identity.study_token_key(identity.StudyRoot(ROOT), "s", linkage_unit="u", epoch="e")
    with pytest.raises(UsageError, match=r'identity/element-missing.*"snx"'):
        identity.tokens(pl.DataFrame({"fnx": ["A"]}), "T01", key)
    with pytest.raises(UsageError, match="identity/unknown-token"):
        identity.tokens(pl.DataFrame(), "T40", key)


def test_token_names_expand_and_unknown_ones_refuse() -> None:
    assert expand_token_names(["T01..T39", "TN-nhs"]) == TOKEN_NAMES[:40]
    assert expand_token_names(["T03", "T01", "T03"]) == ("T01", "T03")
    assert set(TOKEN_NAMES) > WEAK_TOKENS
    for bad in (["T40"], ["T1"], ["T05..T02"], ["T01..TN-nhs"], ["T01..T40"], ["t01"], [".."]):
        with pytest.raises(UsageError, match="identity/unknown-token"):
            expand_token_names(bad)
    with pytest.raises(UsageError, match="identity/no-tokens"):
        expand_token_names([])


def test_the_token_table_is_the_published_one() -> None:
    assert set(oracle.TOKENS) == set(TOKEN_NAMES)
    for name in TOKEN_NAMES:
        parts = [
            word.replace("~", "").replace("&", " ").split("[")[0] for word in oracle.TOKENS[name]
        ]
        whole = {"year": "dob", "month": "dob", "day": "dob"}
        places = {"sector": "pc", "district": "pc", "area": "pc"}
        wanted = [({**whole, **places}).get(w, w) for part in parts for w in part.split()]
        assert list(token_elements(name)) == list(dict.fromkeys(wanted))
    assert component_elements("{day,month}") == ("dob",)


def test_every_composite_key_holds_most_of_the_date_of_birth() -> None:
    for name in TOKEN_NAMES:
        assert name.startswith("TN-") or "dob" in token_elements(name)
    without_forename = {
        name
        for name in TOKEN_NAMES
        if not name.startswith("TN-")
        and not {"fn1", "fnx", "mn", "nick", "alpha"} & set(token_elements(name))
    }
    assert without_forename == WEAK_TOKENS


def test_the_shipped_tables_are_stable_under_themselves() -> None:
    from gateway.model import shipped

    for table in (shipped.nicknames(), shipped.streets()):
        assert not set(table) & set(table.values())
        assert all(text.isascii() and text.isalpha() and text.isupper() for text in table.values())
    assert all(text.isascii() for text in shipped.fold_table().values())
    assert len(identity.table_digests()) == 4


def test_identity_says_no_name_in_an_error() -> None:
    with pytest.raises(UsageError) as refused:
        identity.pseudonyms(
            pl.Series(["Ann Brown"]),
            identity.pseudonym_key(identity.ControllerRoot(ROOT), "p", recipient="r", epoch="e"),
        )
    assert "Ann" not in str(refused.value)


def test_the_tables_stand_where_the_page_says() -> None:
    # One table beside those of `std1` spells names for likeness, and makes no token.
    beside = {"scripts-1.tsv"}
    assert {path.name for path in oracle.TABLES.iterdir()} == {*identity.table_digests(), *beside}
    assert not beside & set(identity.table_digests())
    assert Path(oracle.__file__).read_text(encoding="utf-8").count("gateway.") == 0
