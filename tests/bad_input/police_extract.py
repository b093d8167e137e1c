"""A contract with every kind of rule, and extracts under it, for tests of intake."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence

from gateway.adapters.checker import Checker, Limits
from gateway.intake import Verdict
from gateway.model import Contract, ContractColumn, Role, RowRule

NAMES = (
    *("row", "nhs", "upn", "forename", "surname", "dob", "sex", "postcode", "extract_date"),
    *("class", "start", "end", "flag", "count", "arrears", "criteria"),
)
NHS = ("9990000018", "9990000026", "9990000034", "9990000042", "9990000050", "9990000069")


def _column(name: str, kind: str = "text", **parts: object) -> ContractColumn:
    given = {"field": name, "type": kind, **parts}
    return ContractColumn(name=name, **given)  # type: ignore[arg-type]


POLICE = Contract(
    id="police_incidents",
    title="Police incidents",
    version=3,
    parties=("greater-manchester-police",),
    population="synthetic",
    columns=(
        _column("row", required=True, unique=True, max_length=40),
        _column("nhs", field="nhs_number", role=Role.NHS_NUMBER, tolerated=0.3),
        _column("upn", role=Role.UPN, tolerated=0.3),
        _column("forename", role=Role.FORENAME, required=True, max_length=60),
        _column("surname", role=Role.SURNAME, required=True, max_length=60, aliases=("last_name",)),
        _column(
            "dob",
            "date",
            role=Role.DATE_OF_BIRTH,
            required=True,
            earliest=dt.date(1900, 1, 2),
            latest=dt.date(2026, 10, 1),
            date_forms=("%Y-%m-%d", "%d/%m/%Y"),
        ),
        _column("sex", codes=("0", "1", "2", "9"), role=Role.SEX),
        _column("postcode", role=Role.POSTCODE, tolerated=0.3),
        _column("extract_date", "date", required=True),
        _column("class", codes=("ASB", "DA", "CRIME"), required=True),
        _column("start", "date", earliest=dt.date(2000, 1, 1)),
        _column("end", "date"),
        _column("flag", "boolean"),
        _column("count", "integer", minimum=0, maximum=140),
        _column("arrears", "decimal", minimum=0, maximum=20_000, decimals=2),
        _column("criteria", "codes", codes=("C1", "C2", "C3")),
    ),
    rules=(
        RowRule(name="ends-after-start", form="not-before", columns=("end", "start")),
        RowRule(name="born-before-start", form="at-most", columns=("dob", "start")),
        RowRule(name="count-within-arrears", form="at-most", columns=("count", "arrears")),
        RowRule(
            name="crime-has-start", form="required-if", columns=("start", "class"), value="CRIME"
        ),
        RowRule(
            name="ended-has-flag",
            form="required-if",
            columns=("flag", "end"),
            value="*",
            tolerated=0.5,
        ),
        RowRule(name="asb-has-no-end", form="absent-if", columns=("criteria", "sex"), value="9"),
        RowRule(name="has-a-number", form="one-of-present", columns=("nhs", "upn", "postcode")),
        RowRule(name="sums", form="sum-at-most", columns=("count", "count", "arrears")),
    ),
    unique_together=(("nhs", "extract_date", "class"),),
    quarantine_above=0.05,
    reject_above=0.25,
)


def row(number: int, **changes: str) -> list[str]:
    """One good row, all different, with changes."""
    cells = {
        "row": f"R{number:06}",
        "nhs": "",
        "upn": "",
        "forename": "Ada",
        "surname": "Testcase",
        "dob": "1990-02-03",
        "sex": "2",
        "postcode": "ZA1 1AA",
        "extract_date": "2026-10-01",
        "class": "DA",
        "start": "2025-01-02",
        "end": "2025-02-03",
        "flag": "Y",
        "count": "3",
        "arrears": "10.50",
        "criteria": "C1;C3",
    }
    return list({**cells, **changes}.values())


def rows(count: int) -> list[list[str]]:
    """So many good rows."""
    return [row(number) for number in range(count)]


def text(lines: Sequence[Sequence[str]], header: Sequence[str] = NAMES) -> bytes:
    """Rows under a header as CSV, unquoted as they are."""
    joined = "".join(",".join(line) + "\n" for line in (header, *lines))
    return joined.encode(errors="surrogateescape")


class Taken:
    """A sink that keeps what it was given."""

    def __init__(self) -> None:
        self.frames = b""
        self.left_out = b""
        self.failing = b""

    def accept(self, frame: bytes) -> None:
        self.frames += frame

    def leave_out(self, places: bytes) -> None:
        self.left_out = places

    def fail(self, frame: bytes) -> None:
        self.failing += frame


def check(
    octets: bytes,
    contract: Contract = POLICE,
    *,
    limits: Limits | None = None,
    taken: Taken | None = None,
    known: frozenset[str] = frozenset(),
) -> Verdict:
    """Check bytes in a real child process."""
    into = taken or Taken()
    with Checker(limits) as checker:
        return checker.check(
            io.BytesIO(octets),
            contract,
            known_columns=known,
            sink=into.accept,
            failing=into.fail,
            left_out=into.leave_out,
        )
