"""Every code has one sentence and one remedy, and the reference lists them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.intake import CODES, Finding, remedy, sentence
from gateway.intake.verdict import REJECTED, Verdict
from tests.policies.shelf import shipped

ROOT = Path(__file__).parents[2]


def test_every_code_that_intake_uses_is_in_the_table() -> None:
    sources = [*ROOT.glob("gateway/intake/*.py"), *ROOT.glob("gateway/adapters/checker*.py")]
    used = set()
    for source in sources:
        used |= set(re.findall(r'"(intake/[a-z0-9-]+)"', source.read_text(encoding="utf-8")))
    contract_faults = {code for code in used if code.startswith("intake/contract-")}
    # Nobody has checked the file: that is an error of the machine, not a finding.
    assert used - contract_faults - {"intake/no-check"} <= set(CODES)
    assert set(CODES) - used <= {"intake/judgement-differs"}


@pytest.mark.parametrize("code", CODES)
def test_a_finding_says_where_what_and_what_to_do(code: str) -> None:
    finding = Finding(
        code=code, column="dob", rule="dob.date", rows=12, first_rows=(3, 4), hint="7"
    )
    said = sentence(finding)
    assert said.startswith("12 rows (first 3, 4): ")
    assert said.endswith(".")
    assert "{" not in said
    assert remedy(finding).endswith(".")


def test_nobody_is_told_to_leave_a_required_column_empty() -> None:
    contract = next(
        each for each in shipped().contracts.values() if {c.required for c in each.columns} > {True}
    )
    for code in CODES:
        columns = {column.name: column.required for column in contract.columns}
        found = [Finding(code=code, column=name, rows=1) for name in columns]
        verdict = Verdict(state=REJECTED, findings=tuple(found))
        for told in verdict.findings_json(contract):
            offered = "empty" in CODES[code].remedy and not columns[told["column"]]
            assert ("empty" in told["remedy"]) == offered, code


def test_few_rows_are_named_without_a_count() -> None:
    one = Finding(code="intake/value-missing", column="dob", rows=1, first_rows=(118,))
    assert sentence(one) == 'Row 118: Column "dob": a value is required.'
    two = Finding(code="intake/value-missing", column="dob", rows=2, first_rows=(1, 3))
    assert sentence(two).startswith("Rows 1, 3: ")


def test_the_reference_lists_every_code_with_its_sentence_and_remedy() -> None:
    reference = (ROOT / "docs/reference/contracts.md").read_text(encoding="utf-8")
    for code, meaning in CODES.items():
        assert f"| `{code}` | {meaning.sentence} | {meaning.remedy} |" in reference
