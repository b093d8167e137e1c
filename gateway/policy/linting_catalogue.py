"""Every remark that the review can make beside the reasons of a refusal, and what a lawyer asks.

Source: ICO data sharing code; docs/reference/review.md is made of these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.policy.remarks import Weight

# Code: how much it weighs, what it is said of.
LINTS: Mapping[str, tuple[Weight, str]] = MappingProxyType(
    {
        "lint/agreements-contradict": (
            Weight.WARNING,
            "something that leaves under one agreement and that another of the same controller "
            "forbids; both are told",
        ),
        "lint/basis-expires": (
            Weight.WARNING,
            "a provision that ends within six months, with its successor",
        ),
        "lint/column-unneeded": (
            Weight.ADVICE,
            "columns of a contract that leave for no purpose, and that the gateway does not read",
        ),
        "lint/consent-apart": (
            Weight.ADVICE,
            "people who are asked for consent, under a basis that is none",
        ),
        "lint/consent-beside": (
            Weight.WARNING,
            "consent named beside another Article 6 basis, or another Article 9 condition",
        ),
        "lint/dataset-unread": (Weight.ADVICE, "a contract that no purpose reads"),
        "lint/destroyed-while-shared": (
            Weight.WARNING,
            "a day of destruction before the agreement ends",
        ),
        "lint/ends-before-starts": (Weight.PROBLEM, "an agreement that ends before it starts"),
        "lint/finer-elsewhere": (
            Weight.ADVICE,
            "a value that leaves coarsened, and finer for the same organisation in another purpose",
        ),
        "lint/identifiers-beside-facts": (
            Weight.WARNING,
            "names beside special-category or criminal-offence facts in one output",
        ),
        "lint/k-out-of-reach": (
            Weight.WARNING,
            "more groups than the stored rows can fill with k each",
        ),
        "lint/kept-long": (Weight.WARNING, "retention more than 24 months after the end"),
        "lint/link-map-outlives": (
            Weight.WARNING,
            "a map of link ids that is kept longer than the data",
        ),
        "lint/no-case": (
            Weight.ADVICE,
            "a purpose without a permitted or without a refused case",
        ),
        "lint/nobody-sends": (Weight.WARNING, "a dataset that no party of the agreement sends"),
        "lint/not-begun": (Weight.ADVICE, "a version before its first day"),
        "lint/party-not-signed": (
            Weight.ADVICE,
            "a controller or party that has not signed yet",
        ),
        "lint/promises-differ": (
            Weight.WARNING,
            "one purpose that two agreements of a controller promise in two ways",
        ),
        "lint/protocol-ends-first": (
            Weight.ADVICE,
            "a protocol that ends before an agreement under it",
        ),
        "lint/protocol-review-soon": (
            Weight.ADVICE,
            "a protocol whose review is within three months, or overdue by less",
        ),
        "lint/recipient-expires": (
            Weight.ADVICE,
            "a recipient whose accreditation ends before the agreement",
        ),
        "lint/research-to-operations": (
            Weight.WARNING,
            "research data for a recipient that also works operationally",
        ),
        "lint/review-after-end": (
            Weight.WARNING,
            "a review that is due after the agreement has ended",
        ),
        "lint/review-overdue": (Weight.WARNING, "a review overdue by less than three months"),
        "lint/review-soon": (Weight.ADVICE, "a review within three months"),
        "lint/tables-not-made": (
            Weight.ADVICE,
            "a purpose of tables: it is decided and explained, and no release of it is made yet",
        ),
        "lint/token-not-made": (
            Weight.ADVICE,
            "tokens made of what no column of the people's dataset is for: they join nobody",
        ),
        "lint/value-too-rare": (
            Weight.WARNING,
            "a key variable of which a value stands in fewer than k stored rows",
        ),
    }
)

# What a good information lawyer asks of an agreement, and which remarks answer it.
QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Special-category data without an Article 9 condition?", ("policy/article-9-missing",)),
    ("Criminal-offence data without an Article 10 condition?", ("policy/article-10-missing",)),
    ("No impact assessment?", ("policy/no-dpia",)),
    ("Section 115 to a body that is no relevant authority?", ("policy/s115-recipient",)),
    (
        "The Digital Economy Act without specified persons, or without two factors?",
        ("policy/basis-recipient", "policy/basis-sender", "policy/too-few-factors"),
    ),
    (
        "A provision that has ended (Article 89 after 5 February 2026), or that will?",
        ("policy/legal-basis-expired", "lint/basis-expires"),
    ),
    (
        "An end before the retention, or long before?",
        ("lint/destroyed-while-shared", "lint/kept-long", "lint/link-map-outlives"),
    ),
    (
        "A research purpose with an operational recipient?",
        ("lint/research-to-operations",),
    ),
    (
        "Direct identifiers beside sensitive facts in one output?",
        ("lint/identifiers-beside-facts", "policy/linkage-with-payload"),
    ),
    (
        "Quasi-identifiers that cannot reach k on this population?",
        ("lint/k-out-of-reach", "lint/value-too-rare"),
    ),
    (
        "Days that contradict, or a review that was left out?",
        (
            "lint/ends-before-starts",
            "lint/review-after-end",
            "lint/review-soon",
            "lint/review-overdue",
        ),
    ),
    ("A column that no purpose needs?", ("lint/column-unneeded", "lint/dataset-unread")),
    (
        "Two agreements that contradict?",
        ("lint/agreements-contradict", "lint/promises-differ", "lint/finer-elsewhere"),
    ),
    (
        "A purpose beyond the promises of its notice: state, level, identifiers, databases?",
        ("policy/beyond-notice", "policy/no-notice"),
    ),
    (
        "Consent named beside another lawful basis?",
        ("lint/consent-beside", "lint/consent-apart", "policy/consent-basis"),
    ),
)
