"""The check in the browser comes to the gateway's own verdict, or says that it gives none."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from gateway import policy
from gateway.adapters.browser_rules import browser_rules
from gateway.adapters.policy_folder import read_policies
from gateway.cli.check_file import verdict_of
from gateway.intake import CODES, Finding, remedy, rule_document, rules_of, sentence
from gateway.intake.header import fold
from gateway.model import Contract, ContractColumn, Role
from gateway.policy import Bundle
from gateway.web.findings import said
from gateway.web.page_rules import completed
from gateway.web.precheck_words import DECLINED
from tests.bad_input.police_extract import NAMES, POLICE, row, rows, text
from tests.bad_input.test_files import REJECTED, VALUES, changed
from tests.journeys.office import REPOSITORY
from tests.web.faulty_files import faulty
from tests.web.office import Browser
from tests.web.prechecking import InBrowser, in_browser, of_gateway

BUNDLE = policy.load(read_policies(REPOSITORY / "policies"))[0]
FILES = int(os.environ.get("PRECHECK_FILES", "16"))
FIRST_SEED = int(os.environ.get("PRECHECK_SEED", "1"))

WIDE = replace(
    POLICE,
    id="wide",
    encodings=("utf-8", "latin-1"),
    delimiter=";",
    population="residents",
    postcode_form="digits",
    columns=tuple(
        replace(column, date_forms=("%d-%b-%Y", "%d %b %Y", "%d.%m.%Y", "%Y%m%d"))
        if column.name in ("start", "dob")
        else replace(column, minimum=-5, maximum=5)
        if column.name == "count"
        else replace(column, minimum=None, maximum=None, tolerated=0.1)
        if column.name == "arrears"
        else replace(column, tolerated=0.4, required=False)
        if column.name in ("forename", "extract_date")
        else column
        for column in POLICE.columns
    ),
)
# A mark may join its letter to one that the page declines.
BEYOND = re.compile("[^\u0000-\u052f\u2000-\u206f\u3000\ufeff]")
CONTRACTS = {**BUNDLE.contracts, "every-rule": POLICE, "wide": WIDE}


@pytest.fixture(scope="module")
def browser() -> Iterator[InBrowser]:
    with in_browser() as found:
        yield found


def page_rules(bundle: Bundle, contract: Contract) -> dict[str, Any]:
    """The document as the page gets it, made here and not by a process beside the web."""
    return completed(browser_rules(bundle, contract), contract)


def compared(browser: InBrowser, contract: Contract, files: list[bytes]) -> list[str]:
    """Why the browser declined, file by file; "" where it gave the gateway's verdict."""
    told = browser.answers(page_rules(BUNDLE, contract), files)
    for number, (answer, octets) in enumerate(zip(told, files, strict=True)):
        if answer["kind"] == "verdict":
            expected = of_gateway(octets, contract, contracts=BUNDLE.contracts.values())
            assert answer["verdict"] == expected, (contract.id, number)
    return [answer.get("why", "") for answer in told]


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_faulty_file_gets_the_same_verdict_in_the_browser(browser: InBrowser, name: str) -> None:
    strict = CONTRACTS[name]
    # Most of the files are rejected: under the mild contract fewer are, and rows can be counted.
    mild = replace(strict, quarantine_above=0.7, reject_above=0.97)
    files = [faulty(strict, FIRST_SEED + seed) for seed in range(FILES)]
    half = FILES // 2
    declined = [
        *compared(browser, strict, files[:half]),
        *compared(browser, mild, files[half:]),
    ]
    assert set(declined) <= {"", "header"}, declined
    assert declined.count("") > FILES / 2


def test_the_command_on_the_partners_machine_says_the_same(
    browser: InBrowser, tmp_path: Path
) -> None:
    contract = BUNDLE.contracts["police_incidents"]
    files = [faulty(contract, FIRST_SEED + seed) for seed in range(3)]
    told = browser.answers(page_rules(BUNDLE, contract), files)
    file = tmp_path / "extract.csv"
    for answer, octets in zip(told, files, strict=True):
        file.write_bytes(octets)
        document = verdict_of(REPOSITORY / "policies", file, contract.id, None)
        keys = ("code", "column", "rule", "rows", "first_rows")
        command = [{key: found[key] for key in keys} for found in document["findings"]]
        page = [{key: found[key] for key in keys} for found in answer["verdict"]["findings"]]
        assert page == command
        for key in ("state", "rows", "accepted", "quarantined", "dropped_columns"):
            assert answer["verdict"][key] == document[key]


def test_a_file_of_another_dataset_is_told_as_such_in_the_browser_too(browser: InBrowser) -> None:
    chosen = BUNDLE.contracts["school_attendance"]
    headers = [
        (",".join(column.name for column in contract.columns) + "\n").encode()
        for contract in BUNDLE.contracts.values()
    ]
    assert set(compared(browser, chosen, headers)) == {""}
    told = browser.answers(page_rules(BUNDLE, chosen), headers)
    firsts = [answer["verdict"]["findings"][0]["code"] for answer in told]
    assert firsts.count("intake/another-dataset") == len(BUNDLE.contracts) - 1


def test_broken_files_of_every_kind_get_the_same_verdict(browser: InBrowser) -> None:
    cases = {
        name: octets for name, (octets, _, _) in REJECTED.items() if len(octets) < 11_000_000
    } | {name: changed(7, **changes) for name, (changes, _) in VALUES.items()}
    declined = compared(browser, POLICE, list(cases.values()))
    assert {name: why for name, why in zip(cases, declined, strict=True) if why} == {
        "a zip that is no workbook": "spreadsheet"
    }


def test_what_other_programs_write_gets_the_same_verdict(browser: InBrowser) -> None:
    good = text(rows(30))
    head, body = good.split(b"\n", 1)
    cases = {
        "a line that names the separator": b"sep=,\n" + good,
        "a title above the header": b"Incidents,2026-11-01\n\n" + good,
        "a header far below": b"\n" * 10 + good,
        "a header that is quoted below a title": b"x\n" + good.replace(b"sex", b'"sex"', 1),
        "the mark of an end of file": good + b"\x1a",
        "the mark of an end of file in a line of its own": good + b"\x1a\n",
        "a page": b"<html><table><tr><td>a</td></tr></table></html>",
        "a list of objects": json.dumps([dict.fromkeys(NAMES, "x")]).encode(),
        "two marks of byte order": b"\xef\xbb\xbf" * 2 + good,
        "one name fourteen times": head + b",sex" * 13 + b"\n" + body,
        "an unknown name twice": head + b",Other,x,other\n" + body,
        "columns without a name": (head + b",,\n" + body)
        .replace(b"\n", b",,\n")
        .replace(head + b",,,,", head + b",,"),
        "the header twice": head + b"\n" + good,
        "a line for the total": good + b"TOTAL" + b"," * (len(NAMES) - 1) + b"\n",
        "a line under the table": good + b"End of report\n",
        "a blank line before the header": b"\n" + good,
        "spaces before the header": b"   \n" + good,
        "a name of a column over two lines": good.replace(b"forename", b'"fore\nname"', 1),
        "a name of a column with a hidden letter": good.replace(
            b"forename", b"fore\xe2\x80\x8bname"
        ),
        "a name of a column with a soft hyphen": good.replace(b"forename", b"fore\xc2\xadname"),
        "a name of a column with an accent": good.replace(b"sex", "s\u00e9x".encode(), 1),
        "sixty letters of two halves": changed(7, forename="\U0001f469" * 60),
        "sixty-one letters of two halves": changed(7, forename="\U0001f469" * 61),
        "quotes alone": b'"' * 100_001,
        "commas alone": b"," * 100_000,
        "a line without an end": head + b"\n" + b"y" * 3_000_000,
        "a header without an end": b"x" * 2_000_000,
        "ends of lines of three systems": head + b"\r\n" + body.replace(b"\n", b"\r", 1),
    }
    assert compared(browser, POLICE, list(cases.values())) == [""] * len(cases)


def test_test_numbers_of_residents_are_told_alike(browser: InBrowser) -> None:
    residents = replace(POLICE, population="residents")
    numbers = ("9990000018", "999 000 0026", "9990000019", "99900001", "4010232137", "")
    files = [text([row(0, nhs=number), *rows(30)[1:]]) for number in numbers]
    assert compared(browser, residents, files) == [""] * len(files)


def test_blocks_are_cut_alike_and_values_repeat_across_them(browser: InBrowser) -> None:
    lines = [",".join(row(number)) for number in range(90_000)]
    lines[70_000] = ",".join(row(5, surname="Test\u0441ase", sex="M"))
    sound = ("\n".join([",".join(NAMES), *lines]) + "\n").encode()
    assert len(sound) > 7 << 20
    broken = sound[:-40] + b"\xff" + sound[-40:]
    stray = sound.replace(b"DA,2025", b'D"A,2025', 1)
    blanks = b"\n\r\n" * 100_000
    ended, parted = sound + blanks, sound + blanks + sound[-40:]
    assert compared(browser, POLICE, [sound, broken, stray, ended, parted]) == [""] * 5


def letters_of_both() -> list[str]:
    """Letters that the page does not decline in the name of a column."""
    return [
        chr(code)
        for code in (*range(1, 0x530), *range(0x2000, 0x2070), 0x3000, 0xFEFF)
        if chr(code) not in ',"\n\r'
        if not BEYOND.search(normalize("NFKC", f"z{chr(code)}q") + fold(f"z{chr(code)}q"))
    ]


def test_names_that_look_like_those_of_the_contract_are_refused_alike(browser: InBrowser) -> None:
    names = [f"post{letter}code" for letter in letters_of_both()]
    names = [name for name in names if not BEYOND.search(normalize("NFKC", name))]
    assert len(names) > 1_300
    files = [
        ",".join([*NAMES, *names[start : start + 60]]).encode()
        for start in range(0, len(names), 60)
    ]
    assert compared(browser, POLICE, files) == [""] * len(files)


def test_a_file_without_what_people_said_is_refused_alike(browser: InBrowser) -> None:
    contract = BUNDLE.contracts["family_register"]
    names = [column.name for column in contract.columns]
    files = [
        ",".join(name for name in names if name != absent).encode() + b"\n"
        for absent in ("protected", "participation", "participation_date")
    ]
    assert compared(browser, contract, files) == [""] * 3
    told = browser.answers(page_rules(BUNDLE, contract), files)
    missing = [
        {each["column"] for each in answer["verdict"]["findings"] if "missing" in each["code"]}
        for answer in told
    ]
    assert missing == [{"protected"}, {"participation"}, set()]


def test_column_names_are_folded_alike(browser: InBrowser) -> None:
    letters = letters_of_both()
    assert len(letters) > 1_300
    files = []
    for start in range(0, len(letters), 300):
        names = [
            f"{name}{start + place}"
            for place, letter in enumerate(letters[start : start + 300])
            for name in (f"z{letter}q", f"{letter} ", fold(f"z{letter}q"))
        ]
        files.append(",".join((*NAMES, *names)).encode() + b"\n")
    assert set(compared(browser, POLICE, files)) == {""}


def test_letters_that_nobody_sees_are_the_same_letters(browser: InBrowser) -> None:
    codes = (*range(0x20, 0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x110000, 97))
    marks = [chr(code) for code in (*codes, *range(0xE0000, 0xE0090)) if chr(code) not in ',"']
    files = [
        text([row(n, surname=f"a{mark}b") for n, mark in enumerate(marks[start : start + 5_000])])
        for start in range(0, len(marks), 5_000)
    ]
    generous = replace(POLICE, quarantine_above=1.0, reject_above=1.0)
    assert set(compared(browser, generous, files)) == {""}


def test_what_a_page_cannot_do_alike_it_declines(browser: InBrowser) -> None:
    told = page_rules(BUNDLE, POLICE)
    limits: dict[str, int] = told["limits"]
    good = text(rows(30))
    cases = {
        "spreadsheet": (told, b"PK\x03\x04" + good),
        "large": ({**told, "limits": {**limits, "bytes": 100}}, good),
        "rows": ({**told, "limits": {**limits, "rows": 29}}, good),
        "utf-16": ({**told, "encodings": ["utf-16"]}, good.decode().encode("utf-16")),
        "header": (told, good.replace(b"postcode", "post\u738bcode".encode(), 1)),
        "rules": ({**told, "unasked": ["row.unheard-of"]}, good),
    }
    answers = {why: browser.answers(rules, [octets]) for why, (rules, octets) in cases.items()}
    assert answers == {why: [{"kind": "declined", "why": why}] for why in cases}
    assert set(cases) <= set(DECLINED)


def test_a_kind_of_question_that_the_page_does_not_know_is_declined(browser: InBrowser) -> None:
    told = page_rules(BUNDLE, POLICE)
    for place in range(len(told["rules"])):
        asked = [dict(rule) for rule in told["rules"]]
        if asked[place]["ask"]["kind"] in ("required", "together"):
            continue
        asked[place]["ask"] = {**asked[place]["ask"], "kind": "unheard-of"}
        answer = browser.answers({**told, "rules": asked}, [text(rows(3))])
        assert answer == [{"kind": "declined", "why": "rules"}], asked[place]["name"]


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_rule_of_the_contract_can_be_asked_in_a_browser(name: str) -> None:
    document = page_rules(BUNDLE, CONTRACTS[name])
    assert document["unasked"] == []
    assert [rule["name"] for rule in document["rules"]] == [
        rule.name for rule in rules_of(CONTRACTS[name])
    ]


def test_a_rule_without_a_question_is_named() -> None:
    odd = ContractColumn(name="odd", field="odd", type="date", date_forms=("%Y-%j",))
    born = ContractColumn(name="born", field="born", type="text", role=Role.DATE_OF_BIRTH)
    pair = ContractColumn(name="pair", field="pair", type="codes", codes=("a;b",))
    huge = ContractColumn(name="huge", field="huge", type="integer", minimum=0, maximum=10**15)
    contract = replace(POLICE, columns=(odd, born, pair, huge), rules=(), unique_together=())
    assert rule_document(contract, contracts=())["unasked"] == [
        *("odd.date", "pair.code-list", "huge.number", "born")
    ]


def test_no_pattern_stands_in_the_document() -> None:
    signs = re.compile(r"[\\^$(){}\[\]+?|]")
    for contract in BUNDLE.contracts.values():
        asked = [[rule["ask"], rule["looks"]] for rule in page_rules(BUNDLE, contract)["rules"]]
        told = [text for text in _texts(asked) if text not in _codes(contract)]
        assert [text for text in told if signs.search(text)] == []


def _texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        yield from _texts(list(document.values()))
    elif isinstance(document, list | tuple):
        for part in document:
            yield from _texts(part)


def _codes(contract: Contract) -> set[str]:
    return {code for column in contract.columns for code in column.codes}


def test_the_page_says_a_finding_in_the_words_of_the_page_of_findings() -> None:
    words = page_rules(BUNDLE, POLICE)["words"]
    assert set(words) == set(CODES)
    for code in CODES:
        found = Finding(code=code, column="dob", rule="a-rule", rows=3, first_rows=(1, 2), hint="7")
        filled = words[code][0].format(column='"dob"', rule="a-rule", hint="7")
        assert (filled, words[code][1]) == (said(sentence(found)), remedy(found))
        assert words[code][2] == remedy(found, required={"dob"})


def test_the_rules_are_given_to_whoever_sends_the_dataset(
    client_as: Callable[[str], Browser],
) -> None:
    told = client_as("uploader").get("/send/police_incidents/rules.json")
    assert told.status_code == 200
    assert told.json == json.loads(
        json.dumps(page_rules(BUNDLE, BUNDLE.contracts["police_incidents"]))
    )
    assert client_as("uploader").get("/send/school_attendance/rules.json").status_code == 404
    assert client_as("release-officer").get("/send/police_incidents/rules.json").status_code == 403
