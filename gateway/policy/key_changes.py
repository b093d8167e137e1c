"""What an approval changes of the recipients' keys, in sentences with both fingerprints.

A key stands in no document, yet the digest covers it: whoever holds the secret half of
it opens what is released. So who signs is told of each key that was not signed before.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0122, 0347.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.policy.bundle import Bundle
from gateway.policy.marks import marked
from gateway.policy.naming import Names
from gateway.policy.standing import read_by

# The fingerprint of each recipient's key, by the id of the recipient.
Fingerprints = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedKeys:
    """The keys that the last approval covered, and those that the next one would cover.

    `then` is None where nobody knows which keys were covered.
    """

    then: Fingerprints | None
    now: Fingerprints


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """One recipient's key: fingerprints, "" for no key; `then` is None where it is not known."""

    recipient: str
    then: str | None
    now: str


def key_changes(
    old: Bundle, new: Bundle, agreement: str, *, keys: SignedKeys, sure: bool
) -> tuple[KeyChange, ...]:
    """Each recipient of an agreement whose key is another than was signed for, by id.

    Args:
        old: the documents that the agreement was last approved for.
        new: those that are to be approved.
        agreement: its id.
        keys: of all recipients, then and now.
        sure: whether `old` is known to be what it was approved for.
    """
    before, after = (read_by(each, agreement).get("recipients", ()) for each in (old, new))
    found = []
    for recipient in sorted(after):
        then = _then(recipient, keys.then) if recipient in before or not sure else ""
        now = keys.now.get(recipient, "")
        if then != now and (then or now):
            found.append(KeyChange(recipient=recipient, then=then, now=now))
    return tuple(found)


def key_sentences(old: Bundle, new: Bundle, changes: tuple[KeyChange, ...]) -> Iterator[str]:
    """The same in sentences, as they stand beside those of `compare`."""
    names = Names(old, new)
    for each in changes:
        yield _sentence(names.of("recipient", each.recipient), each)


def _sentence(recipient: str, change: KeyChange) -> str:
    key = f"the key of recipient {recipient}, which opens what is released to it"
    if change.then is None:
        return (
            f"may change {key}: the fingerprint then is not known, "
            f"the fingerprint now is {marked(change.now)}"
        )
    if not change.then:
        return f"adds {key}: none was approved before, the fingerprint now is {marked(change.now)}"
    if not change.now:
        return f"removes {key}: the fingerprint then was {marked(change.then)}, there is none now"
    return (
        f"changes {key}: the fingerprint then was {marked(change.then)}, "
        f"the fingerprint now is {marked(change.now)}"
    )


def _then(recipient: str, known: Fingerprints | None) -> str | None:
    return None if known is None else known.get(recipient, "")
