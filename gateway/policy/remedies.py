"""What to do about each reason for which a purpose is refused, and what it says in general.

The reason itself names clause, column and recipient; this is what is the same each time.

Source: docs/reference/errors.md; docs/reference/policy.md, "Decision".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Code: what it says in general, what to do.
REMEDIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "policy/answer-only": (
            "An answer carries no file of tokens.",
            'Give the output `identifiers = "none"` or "sealed-clear".',
        ),
        "policy/article-10-missing": (
            "Criminal-offence data need an Article 10 condition.",
            "Name one of Schedule 1 to the Data Protection Act 2018 in `legal_bases`.",
        ),
        "policy/article-6-missing": (
            "Processing needs a basis of Article 6.",
            "Name the one that is relied on in `legal_bases`.",
        ),
        "policy/article-9-missing": (
            "Special-category data need an Article 9 condition.",
            "Name it in `legal_bases`, with what it requires beside it.",
        ),
        "policy/basis-kind": (
            "A legal basis does not cover a purpose of this kind.",
            "Name another basis, or another kind of purpose.",
        ),
        "policy/basis-recipient": (
            "A legal basis lets data go only to bodies of certain classes; this is none.",
            "Name a recipient of such a class, or take the basis out.",
        ),
        "policy/basis-sender": (
            "A legal basis is no power of this controller.",
            "Name a power of its own.",
        ),
        "policy/beyond-notice": (
            "Something goes beyond what people were told.",
            "Take it out, or publish a notice that says it and wait 28 days.",
        ),
        "policy/clear-not-approved": (
            "Identifiers in the clear need an approval of their own.",
            "Record it in the output's `approval`, or send tokens.",
        ),
        "policy/clear-recipient": (
            "This recipient may not have identifiers in the clear.",
            "Send tokens, or name a recipient that may: for research one of class linkage-unit; "
            "otherwise also one of class acting-for-relevant-authority, council-team, "
            "data-subject, government-department, partner-agency, relevant-authority or "
            "safeguarding-authority.",
        ),
        "policy/cohort-not-of-spine": (
            "The cohort is of another dataset than the spine.",
            "Name the same dataset in both.",
        ),
        "policy/condition-missing": (
            "A legal basis needs another beside it.",
            "Add one of those named to `legal_bases`.",
        ),
        "policy/consent-basis": (
            "The basis is consent, and people are not asked.",
            'Say `participation = "consent"`, or name the basis that is relied on.',
        ),
        "policy/direct-identifier": (
            "A direct identifier would leave as it is.",
            "Take it out, or send it as a token or pseudonym.",
        ),
        "policy/family-value-not-combinable": (
            "A value about a family cannot be made anew without one member.",
            "Give the field `combine` in the vocabulary, or leave it out.",
        ),
        "policy/legal-basis-expired": (
            "A legal basis has ended.",
            "Name its successor in `legal_bases`.",
        ),
        "policy/legal-basis-not-begun": (
            "A legal basis has not begun.",
            "Name the one in force, or begin later.",
        ),
        "policy/linkage-with-payload": (
            "Identifiers and facts would leave in one file.",
            "Put the facts in an output of their own, for another recipient.",
        ),
        "policy/low-cardinality-hash": (
            "A value that can be listed would leave as a pseudonym.",
            "Coarsen it, or leave it out.",
        ),
        "policy/no-disclosure-limits": (
            "Rows or tables would leave without limits on small groups.",
            "Give the output `disclosure` with k and what happens to small groups.",
        ),
        "policy/no-dpia": (
            "Special-category or criminal-offence data need an impact assessment.",
            "Do it, and write its reference in `dpia`.",
        ),
        "policy/no-functional-separation": (
            "Two outputs that must not meet go to one organisation.",
            "Record its undertaking in `functional_separation`, or name another recipient.",
        ),
        "policy/no-key-variable": (
            "No key variable is left to count groups by.",
            'Leave one in, or send it to a recipient of class "secure-setting".',
        ),
        "policy/no-notice": (
            "People were told nothing about this purpose.",
            "Publish a notice, and write its promises in `notice`.",
        ),
        "policy/nothing-to-send": (
            "An output has no field.",
            "Add one, or remove the output.",
        ),
        "policy/notice-too-young": (
            "The notice was published less than 28 days ago.",
            "Share after that day.",
        ),
        "policy/outputs-meet": (
            "One key would open two outputs that must not meet.",
            "Make them one output, or name recipients apart.",
        ),
        "policy/party-not-signed": (
            "A party had not signed on the day.",
            "Write its day in `signed` once it has.",
        ),
        "policy/party-outside-protocol": (
            "A party is not of the protocol above the agreement.",
            "Have it join the protocol first.",
        ),
        "policy/prohibited": (
            "Something leaves that a prohibition forbids.",
            "Take it out of the output; a prohibition beats any permission.",
        ),
        "policy/protection-field": (
            "A column that protects people would leave.",
            "Remove it from the output.",
        ),
        "policy/protocol-not-in-force": (
            "The protocol above the agreement is not in force.",
            "Have it renewed or reviewed, and write its days in its document.",
        ),
        "policy/recipient-not-a-party": (
            "The recipient's organisation is no party of the agreement.",
            "Add it to `parties`, or name another recipient.",
        ),
        "policy/research-decision": (
            "Something about a person would come back from research.",
            'Say `returns = "none"` or "aggregates".',
        ),
        "policy/retention-past": (
            "What is shared had to be destroyed already.",
            "Set a later `retain_until`, if the clause allows it.",
        ),
        "policy/s115-recipient": (
            "Section 115 reaches relevant authorities only.",
            "Name one, or somebody who acts for one; otherwise rely on another power.",
        ),
        "policy/statutory-participation": (
            "No law in force includes people whatever they have said.",
            'Say "objection", "opt-out" or "consent" in `participation`.',
        ),
        "policy/synthetic-only": (
            "Made-up people reach only recipients that are there for them.",
            'Name a recipient of class "synthetic".',
        ),
        "policy/synthetic-recipient": (
            "The recipient may have made-up people only.",
            "Name another recipient.",
        ),
        "policy/tables-only": (
            "Tables leave only for a purpose of that kind, and nothing else does.",
            'Give the output `tables` and `identifiers = "none"`, or change `kind`.',
        ),
        "policy/too-few-factors": (
            "A legal basis needs more of its factors.",
            "Name in `factors` those that affect the household.",
        ),
        "policy/unknown-cohort": (
            "The cohort is not in the vocabulary.",
            "Add it to vocabulary.toml, or correct the name.",
        ),
        "policy/unknown-dataset": (
            "A dataset has no contract.",
            "Write its contract, or correct the name.",
        ),
        "policy/unknown-legal-basis": (
            "A legal basis is not in the catalogue.",
            "Add it to legal-bases.toml, or correct the name.",
        ),
        "policy/unknown-recipient": (
            "A recipient has no document.",
            "Write it under recipients, or correct the name.",
        ),
        "recipient/expired": (
            "The recipient's accreditation has ended.",
            "Have it renewed, and write the new day in `expires`.",
        ),
        "recipient/key-expired": (
            "The recipient's key has ended.",
            "Register its new key and have two people confirm it.",
        ),
        "recipient/key-mismatch": (
            "The registered key is not the one that the document names.",
            "Ask the recipient over another channel which is right, then correct the other.",
        ),
        "recipient/key-not-confirmed": (
            "Two people have not confirmed the recipient's key.",
            "Compare its fingerprint over another channel: `gateway recipients confirm`.",
        ),
        "recipient/no-address": (
            "Nothing can be brought to the recipient.",
            "Complete `delivery` in its document.",
        ),
        "recipient/no-key": (
            "The recipient has no registered key.",
            "Register it: `gateway recipients add`; two people confirm it.",
        ),
        "sharing/agreement-ended": (
            "The agreement has ended; there is no grace.",
            "Agree on a new one, or on a later end, and have it approved.",
        ),
        "sharing/agreement-not-begun": (
            "The agreement has not begun.",
            "Wait for its first day.",
        ),
        "sharing/no-agreement": (
            "No agreement lets anybody receive data for this purpose.",
            "Ask a governance lead to add the purpose.",
        ),
        "sharing/not-approved": (
            "This version was not approved by each controller.",
            "An editor proposes it, an approver of each controller approves it.",
        ),
        "sharing/review-overdue": (
            "The review has been due for more than three months.",
            "Review it, write the next day in `review`, and have it approved.",
        ),
    }
)


def remedy_of(code: str) -> str:
    """What to do about a reason of that code; "" where the reason says it itself."""
    return REMEDIES.get(code, ("", ""))[1]
