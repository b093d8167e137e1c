"""Intake: bytes become checked columns, or findings that carry no value.

A contract is compiled once into rules that are both column expressions and Great
Expectations. The checker process runs the expressions over a byte stream; only
counts, row numbers and accepted columns come out.

Source: UK GDPR Art 5(1)(d); docs/reference/contracts.md.
"""

from gateway.intake.another_dataset import told_apart
from gateway.intake.cells import cells
from gateway.intake.columns import Checked, Compiled, unusable
from gateway.intake.findings import CODES, Finding, Meaning, remedy, sentence
from gateway.intake.header import (
    LINES_BELOW,
    MOST_COLUMNS,
    Header,
    below_first,
    lines_below,
    match_header,
    read_header,
)
from gateway.intake.row_rules import numbered, rules_of
from gateway.intake.rule import Rule
from gateway.intake.rule_document import rule_document
from gateway.intake.scan import Fault, Scan, cut_blocks, scan
from gateway.intake.suite import suite, table_schema
from gateway.intake.tally import Tally, quarantining
from gateway.intake.unique import Repetitions, keyed_hashes
from gateway.intake.verdict import (
    ACCEPTED,
    QUARANTINED,
    REJECTED,
    RuleCount,
    Verdict,
    read_verdict,
    rejected,
)
from gateway.intake.wire import contract_json, read_contract

__all__ = [
    "ACCEPTED",
    "CODES",
    "LINES_BELOW",
    "MOST_COLUMNS",
    "QUARANTINED",
    "REJECTED",
    "Checked",
    "Compiled",
    "Fault",
    "Finding",
    "Header",
    "Meaning",
    "Repetitions",
    "Rule",
    "RuleCount",
    "Scan",
    "Tally",
    "Verdict",
    "below_first",
    "cells",
    "contract_json",
    "cut_blocks",
    "keyed_hashes",
    "lines_below",
    "match_header",
    "numbered",
    "quarantining",
    "read_contract",
    "read_header",
    "read_verdict",
    "rejected",
    "remedy",
    "rule_document",
    "rules_of",
    "scan",
    "sentence",
    "suite",
    "table_schema",
    "told_apart",
    "unusable",
]
