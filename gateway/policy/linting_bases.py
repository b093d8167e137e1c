"""What the review says of the legal bases of a purpose: consent beside others, and those that end.

Source: UK GDPR Arts 6, 7(4), 9 and 21; ICO, "Consent"; docs/reference/review.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy.days import told_day
from gateway.policy.findings import name
from gateway.policy.linting_remarks import remark_on
from gateway.policy.matter import Matter, months_after
from gateway.policy.remarks import Remark, Weight

EXPIRY_MONTHS = 6


def consent_beside(matter: Matter) -> Iterator[Remark]:
    """Consent beside another basis: people are told that they may choose, and may not."""
    for article in ("article-6", "article-9"):
        named = {key: each for key, each in matter.bases.items() if article in each.satisfies}
        consents = [key for key, basis in named.items() if basis.participation == "consent"]
        others = [key for key in named if key not in consents]
        if consents and others:
            yield remark_on(
                matter,
                Weight.WARNING,
                "lint/consent-beside",
                f"{name(consents[0])} is consent, and {name(others[0])} stands beside it.",
                "Name the one basis that is relied on; consent that cannot be refused is none.",
            )


def consent_apart(matter: Matter) -> Iterator[Remark]:
    """People are asked, and what is relied on is not what they answer."""
    article_6 = {k: b for k, b in matter.bases.items() if "article-6" in b.satisfies}
    asked = matter.purpose.participation == "consent"
    if asked and article_6 and all(b.participation != "consent" for b in article_6.values()):
        yield remark_on(
            matter,
            Weight.ADVICE,
            "lint/consent-apart",
            f"Only who consented takes part, and what is relied on is {name(min(article_6))}: the "
            "consent is a safeguard, and no legal basis.",
            "Say so in the notice, with the right to object beside it (Article 21).",
        )


def expiring(matter: Matter) -> Iterator[Remark]:
    """A provision that ends soon, with what comes after it."""
    for key, basis in matter.bases.items():
        if basis.valid_to and matter.on <= basis.valid_to <= months_after(matter.on, EXPIRY_MONTHS):
            yield remark_on(
                matter,
                Weight.WARNING,
                "lint/basis-expires",
                f"{name(key)} ends on {told_day(basis.valid_to)}.",
                f"Prepare {name(basis.replaced_by)}." if basis.replaced_by else "Find another.",
            )
