"""The promises that are judged by what the manifests of a release say, and the ledger of them.

A manifest counts because its digest stands in the ledger. What it says must have happened
is therefore demanded of the entries: a use of a key that made its codes cannot be left out.

Source: the councils' privacy notices; UK GDPR Art 5(1)(c) and (e); requirement N17.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator

import rfc8785

from gateway.ledger.story import Answer, Manifest, Manifests, Outcome, Story, Told, counted

Need = tuple[str, str, str]


def minimum(story: Story, manifests: Manifests, _on: dt.date) -> Answer:
    """Every package has the manifest that was recorded, and its columns each a clause."""
    every = story.own("package-made")
    made = {told.fact("package"): told for told in every}
    if set(made) != {manifest["package"] for manifest in manifests} or not made:
        return Outcome.BROKEN, "A manifest is missing.", every
    if not len(every) == len(made) == len(manifests):
        return Outcome.BROKEN, "A package was made twice, or has two manifests.", every
    recorded = story.recorded
    if recorded is not None and recorded.fact("packages") != len(made):
        return Outcome.BROKEN, "A package is missing.", [*made.values(), recorded]
    for manifest in manifests:
        told = made[manifest["package"]]
        if canonical_digest(manifest) != told.fact("core_digest"):
            return Outcome.BROKEN, "A manifest is not the one that was recorded.", [told]
        if any(not column.get("clause") for column in manifest["columns"]):
            return Outcome.BROKEN, "A column left without a clause.", [told]
    columns = sum(len(manifest["columns"]) for manifest in manifests)
    return (
        Outcome.KEPT,
        f"{counted(columns, 'column')} left, each by a clause.",
        list(made.values()),
    )


def groups(story: Story, manifests: Manifests, _on: dt.date) -> Answer:
    """Every limit on small groups was met; where people are named, nobody was told so."""
    made = story.own("package-made")
    limited = [manifest for manifest in manifests if manifest.get("disclosure")]
    if any(not manifest["disclosure"].get("met") for manifest in limited):
        return Outcome.BROKEN, "A limit on small groups was not met.", made
    if any(_in_clear(manifest) for manifest in manifests):
        because = "It names people, to a recipient who may know them: nobody is told otherwise."
        return Outcome.DOES_NOT_APPLY, because, made
    least = min((manifest["disclosure"]["k"] for manifest in limited), default=0)
    because = (
        f"No group of fewer than {least} families left." if least else "No rows of facts left."
    )
    return Outcome.KEPT, because, made


def _in_clear(manifest: Manifest) -> bool:
    """Whether a column that names people left as it was received."""
    return any((c["class"], c["treatment"]) == ("direct", "keep") for c in manifest["columns"])


def keys(story: Story, manifests: Manifests, _on: dt.date) -> Answer:
    """Each use of a key had leave, and whoever's codes left, their making is written down."""
    uses = story.own("key-used")
    shown = list(uses)
    for use in uses:
        leave = [
            told
            for told in story.every("key-granted", key=use.fact("key"), policy_digest=story.digest)
            if told.index < use.index
            and told.fact("purpose") == use.fact("purpose")
            and str(told.fact("until")) >= use.entry.at.date().isoformat()
        ]
        if not leave:
            return Outcome.BROKEN, "A key was used without leave.", [use]
        shown += leave
    needed = [need for manifest in manifests for need in _needs(manifest)]
    for need in set(needed):
        if len([use for use in uses if _serves(story, use, need)]) < needed.count(need):
            because = "Codes left, but no entry says that their key was used."
            return Outcome.BROKEN, because, [*story.own("package-made"), *uses]
    because = (
        f"{counted(len(uses), 'use')} of a key, each by leave." if uses else "No key was needed."
    )
    return Outcome.KEPT, because, shown if uses else story.own("package-made")


def _needs(manifest: Manifest) -> Iterator[Need]:
    """Which keys made what left: their kind, and of a study its name and epoch."""
    if manifest.get("rows") == 0:
        return
    named = manifest.get("key") or {}
    treatments = {column["treatment"] for column in manifest["columns"]}
    if named.get("kind") == "study" or "token" in treatments:
        yield "study", named.get("study", ""), named.get("epoch", "")
    if named.get("kind") == "pseudonym" or "pseudonym" in treatments:
        yield "controller", "", ""


def _serves(story: Story, use: Told, need: Need) -> bool:
    """Whether it is a use of such a key: its grants say of which study and epoch it is."""
    kind, study, epoch = need
    grants = story.every("key-granted", key=use.fact("key"))
    return use.fact("kind") == kind and (
        not study or any((t.fact("study"), t.fact("epoch")) == (study, epoch) for t in grants)
    )


def destroyed(story: Story, manifests: Manifests, on: dt.date) -> Answer:
    """Each recipient certified the destruction, or its day is still to come."""
    made, gone = story.own("package-made"), story.own("recipient-destroyed")
    days = sorted(_destroy_by(manifest) for manifest in manifests)
    # A certificate says of which package it is: two of one are none of another.
    named = {told.fact("package") for told in gone} & {told.fact("package") for told in made}
    unnamed = [told for told in gone if not told.fact("package")]
    if len(named) + len(unnamed) >= len(made) and made:
        return Outcome.KEPT, "Each recipient has certified the destruction.", gone
    if days and on.isoformat() <= days[-1]:
        return Outcome.NOT_YET, f"It is to be destroyed by {days[-1]}.", made
    return Outcome.BROKEN, "Its day has passed without a certificate of each recipient.", gone


def _destroy_by(manifest: Manifest) -> str:
    for duty in manifest.get("duties", ()):
        text = duty if isinstance(duty, str) else str(duty.get("code", ""))
        if text.startswith("destroy-by "):
            return text.removeprefix("destroy-by ")
    return ""


def canonical_digest(manifest: Manifest) -> str:
    """SHA-256 of the manifest's canonical form, as its ledger entry commits to it."""
    return hashlib.sha256(rfc8785.dumps(dict(manifest))).hexdigest()
