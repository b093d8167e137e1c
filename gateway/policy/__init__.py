"""Documents to agreements; a request to a Plan or a Refusal; a change to sentences.

Source: UK GDPR Art 5(1)(b); docs/reference/policy.md.
"""

from gateway.policy.agreements import Agreement
from gateway.policy.bundle import Bundle, Documents, load, parse
from gateway.policy.cases import CaseResult, run_cases
from gateway.policy.checks_force import review_due
from gateway.policy.comparing import compare
from gateway.policy.contracts import load_contract
from gateway.policy.decision import decide, expected
from gateway.policy.digest import policy_digest
from gateway.policy.explaining import explain
from gateway.policy.findings import Finding, PolicyInvalid
from gateway.policy.linting import review
from gateway.policy.linting_between import newly_unneeded
from gateway.policy.linting_groups import Stored
from gateway.policy.marks import pieces, quoted, unmarked, verbatim
from gateway.policy.naming import called
from gateway.policy.reach import reached
from gateway.policy.recipients import Recipient, RecipientKey
from gateway.policy.remarks import Remark, Weight
from gateway.policy.schemas import KINDS, schema
from gateway.policy.tracing import Trace, by_clause, stands_under, traces, traces_of
from gateway.policy.vocabulary import Vocabulary, load_vocabulary

__all__ = [
    "KINDS",
    "Agreement",
    "Bundle",
    "CaseResult",
    "Documents",
    "Finding",
    "PolicyInvalid",
    "Recipient",
    "RecipientKey",
    "Remark",
    "Stored",
    "Trace",
    "Vocabulary",
    "Weight",
    "by_clause",
    "called",
    "compare",
    "decide",
    "expected",
    "explain",
    "load",
    "load_contract",
    "load_vocabulary",
    "newly_unneeded",
    "parse",
    "pieces",
    "policy_digest",
    "quoted",
    "reached",
    "review",
    "review_due",
    "run_cases",
    "schema",
    "stands_under",
    "traces",
    "traces_of",
    "unmarked",
    "verbatim",
]
