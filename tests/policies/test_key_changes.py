"""Whoever signs is told of each recipient's key that was not signed before, by its fingerprints."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.policy import load
from gateway.policy.key_changes import Fingerprints, SignedKeys, key_changes, key_sentences
from gateway.policy.marks import unmarked
from tests.policies import shelf

BUNDLE = load(shelf.documents())[0]
AGREEMENT = "trafford-stronger-families"
OLD, NEW = "a" * 64, "b" * 64
TEAM = "ons-research"


def told(
    then: Fingerprints | None, now: Fingerprints, *, sure: bool = True, before: str = AGREEMENT
) -> list[str]:
    """The sentences, where `before` is the agreement as it was called when it was approved."""
    agreements = {before: BUNDLE.agreements[AGREEMENT]}
    old = dataclasses.replace(BUNDLE, agreements=agreements)
    keys = SignedKeys(then=then, now=now)
    found = key_changes(old, BUNDLE, AGREEMENT, keys=keys, sure=sure)
    return [unmarked(each) for each in key_sentences(old, BUNDLE, found)]


@pytest.mark.parametrize(
    ("then", "now", "verb", "words"),
    [
        ({TEAM: OLD}, {TEAM: NEW}, "changes",
         f"the fingerprint then was {OLD}, the fingerprint now is {NEW}"),
        ({}, {TEAM: NEW}, "adds", f"none was approved before, the fingerprint now is {NEW}"),
        ({TEAM: OLD}, {}, "removes", f"the fingerprint then was {OLD}, there is none now"),
        (None, {TEAM: NEW}, "may change",
         f"the fingerprint then is not known, the fingerprint now is {NEW}"),
    ],
    ids=["another", "first", "gone", "not-known"],
)  # fmt: skip
def test_a_key_is_told_by_both_fingerprints(
    then: Fingerprints | None, now: Fingerprints, verb: str, words: str
) -> None:
    (sentence,) = told(then, now)
    assert sentence.startswith(f"{verb} the key of recipient ")
    assert f"({TEAM}), which opens what is released to it: {words}" in sentence


def test_a_key_that_was_signed_before_is_no_news() -> None:
    assert told({TEAM: OLD}, {TEAM: OLD}) == []
    assert told(None, {}) == []


def test_a_key_that_no_output_of_the_agreement_is_sealed_for_is_not_told() -> None:
    assert told({}, {"trafford-mash": NEW}) == []


def test_a_recipient_that_the_agreement_did_not_have_has_a_key_that_nobody_approved() -> None:
    (sentence,) = told({TEAM: OLD}, {TEAM: OLD}, before="another-agreement")
    assert "none was approved before" in sentence
    assert told({TEAM: OLD}, {TEAM: OLD}, before="another-agreement", sure=False) == []
