"""What the forms of governed documents ask, in words: each part's label and hint, in order.

A part that is not named here is edited as text.

Source: docs/reference/policy.md; GOV.UK Design System, "Writing for user interfaces".
"""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, tuple[str, str]]

FIELD: Words = {
    "meaning": ("What does it mean?", "One sentence; it stands in notices and registers."),
    "class": ("Its class", "What it can do to a person if it meets the wrong eyes."),
    "harm": ("What harm it could do", "Abuse, health and offences need groups of 10."),
    "identifier": ("What a notice calls it", "Only for what identifies a person."),
    "codes": ("Its codes", "One on each line, with its meaning: 1 = male"),
    "level": ("Whose value is it?", ""),
    "combine": ("How a family’s value is made of its members’", ""),
    "low_cardinality": ("It has few values, so that it is never hashed alone", ""),
    "postcode": ("It is a postcode", ""),
    "dpv": ("Its name in the Data Privacy Vocabulary", "Like pd:BirthDate"),
}
BASIS: Words = {
    "provision": ("Which provision?", "Like UK GDPR Art 6(1)(e)"),
    "permits": ("What does it permit?", "One sentence, in plain words."),
    "satisfies": ("Which part of the law does it answer?", ""),
    "valid_from": ("First day", "Like 2021-01-01"),
    "valid_to": ("Last day (optional)", "Empty while it is law without an end."),
    "replaced_by": ("Replaced by (optional)", "The name of another legal basis."),
    "kinds": ("For which kinds of sharing?", "None means every kind."),
    "senders": ("Which classes may send?", "One on each line; empty means every class."),
    "recipients": ("Which classes may receive?", "One on each line; empty means every class."),
    "requires": ("What has to stand beside it?", "One of each line’s bases, with commas between."),
    "participation": ("What people have to have said", ""),
    "statutory": ("May people be included whatever they have said?", ""),
    "returns": ("What may come back?", "None means anything."),
    "check": ("What a lawyer still has to look at", ""),
}
RECIPIENT: Words = {
    "organisation": ("Legal organisation", "Its name among the parties, like trafford-council"),
    "team": ("Team", "The people who open the package."),
    "class": ("Its classes", "One on each line. A class adds a right; an unknown one adds none."),
    "channel": ("How are packages brought?", ""),
    "expires": ("Last day", "After it nothing is sent there. Like 2029-12-31"),
    "contact": ("Contact (optional)", "An email address of the team"),
    "address": ("Postal address (optional)", ""),
    "accreditation": ("Accreditation (optional)", "Its reference, for a research setting"),
    "delivery.address": (
        "Address for https or sftp",
        "Begins with https:// or sftp://. No password stands in it.",
    ),
    "delivery.client": ("Name to sign in with, for sftp", ""),
    "delivery.host_key": ("The sftp server’s host key", "As they told you over another channel."),
}
DATASET: Words = {
    "title": ("Title", ""),
    "parties": ("Who sends it?", ""),
    "population": ("Whom is it about?", "Rows about residents reach real recipients."),
    "frequency": ("How often is it sent? (optional)", "Like Weekly"),
    "retention": ("How long is it kept?", "Days, weeks, months or years: 365d, 52w, 12m or 1y"),
    "quarantine_above": (
        "From which share of faulty rows does a person look?",
        "0.05 is five in a hundred.",
    ),
    "reject_above": ("From which share is the file refused?", "0.25 is a quarter."),
    "encodings": ("How may the text be encoded?", ""),
    "delimiter": ("What stands between columns?", ""),
    "harm": ("What harm it could do to be in it", ""),
    "unique_together": (
        "Which columns together stand once?",
        "One set on each line, with commas between.",
    ),
}
COLUMN: Words = {
    "field": (
        "Which field of the vocabulary is it?",
        "Its meaning and class follow from it. None: the field of the column’s own name.",
    ),
    "type": ("Type", ""),
    "role": ("What it does in matching (optional)", ""),
    "required": ("Every row must have it", ""),
    "unique": ("No value stands twice", ""),
    "aliases": ("Other names that a partner may write", "One on each line."),
    "tolerated": ("Which share may be faulty?", "0.02 is two in a hundred."),
    "codes": ("Codes of its own", "One on each line: 1 = male. Empty: the vocabulary’s."),
    "min": ("Least (for numbers)", ""),
    "max": ("Most (for numbers)", ""),
    "earliest": ("Earliest (for dates)", "Like 1900-01-01"),
    "latest": ("Latest (for dates)", "Like 2030-12-31"),
    "date_forms": ("How may dates be written?", ""),
    "max_length": ("Longest text, in characters", ""),
    "decimals": ("Decimal places", ""),
    "form": ("Its own form (optional)", ""),
    "note": ("Note (optional)", ""),
}
COHORT: Words = {
    "meaning": ("Who is it?", "One sentence; it stands in notices and registers."),
    "from": ("Of which dataset?", ""),
    "where": (
        "Which of its rows?",
        "One column on each line: programme_arm = PROG, COMP, or start = 2026-01-01..2026-12-31. "
        "Empty means every row.",
    ),
    "membership": ("Does being in it tell something?", ""),
    "harm": ("What harm it could do to be in it", ""),
}
PARTY: Words = {
    "title": ("What is it called?", ""),
    "class": ("Its classes", "One on each line. A class adds a power; an unknown one adds none."),
}
DUTY: Words = {"says": ("What must the recipient do?", "One sentence, as a recipient reads it.")}
RULE: Words = {
    "form": ("What must hold?", ""),
    "columns": ("Of which columns?", "One on each line; their order counts."),
    "value": ("Where the condition is (optional)", "Like A;B, or * for any value"),
    "tolerated": ("Which share may break it?", "0.02 is two in a hundred."),
}

# What a word of a document means on a page, where its own letters do not say it.
MEANT: Mapping[str, Mapping[str, str]] = {
    "class": {
        "direct": "Tells who the person is",
        "key-variable": "Could tell who it is, together with others",
        "special-category": "Special category (health, ethnicity, belief and the like)",
        "criminal": "About crime",
        "plain": "None of these",
    },
    "satisfies": {
        "article-6": "Article 6: a lawful basis",
        "article-9": "Article 9: special categories",
        "article-10": "Article 10: crime",
        "safeguard": "A safeguard",
        "gateway": "A legal gateway",
        "right": "A right of the person",
    },
    "encodings": {
        "utf-8": "UTF-8",
        "latin-1": "Latin-1",
        "windows-1252": "Windows-1252",
        "utf-16": "UTF-16",
    },
    "delimiter": {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"},
    "date_forms": {
        "%Y-%m-%d": "2026-04-01",
        "%d/%m/%Y": "01/04/2026",
        "%d-%m-%Y": "01-04-2026",
        "%d.%m.%Y": "01.04.2026",
        "%Y%m%d": "20260401",
        "%d%m%Y": "01042026",
        "%d %b %Y": "01 Apr 2026",
        "%d-%b-%Y": "01-Apr-2026",
    },
    "population": {"synthetic": "Invented people", "residents": "Residents"},
    "membership": {
        "sensitive": "Yes: it is special-category and criminal data",
        "plain": "No",
    },
    "form": {
        "not-before": "The first is not before the second",
        "at-most": "The first is not more than the second",
        "sum-at-most": "The others together are not more than the last",
        "required-if": "The first is there where the second has the value",
        "absent-if": "The first is not there where the second has the value",
        "one-of-present": "At least one is there",
    },
    "level": {"person": "The person’s", "family": "The family’s"},
    "role": {"nhs_number": "NHS number", "upn": "UPN", "nino": "NINO", "uprn": "UPRN"},
    "identifier": {
        "nhs_number": "NHS number",
        "upn": "UPN",
        "nino": "NINO",
        "pnc_id": "PNC id",
        "local_id": "Local id",
    },
    "channel": {"sftp": "SFTP server", "https": "HTTPS address"},
}
LONG = frozenset({"meaning", "permits", "check", "note"})
