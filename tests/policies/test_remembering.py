"""What a reader of policies remembers is bounded, and which document states an agreement."""

from __future__ import annotations

from gateway import policy
from gateway.policy.rereading import BASES_KEPT, BUNDLES_KEPT, Rereader
from tests.policies.test_rereading import DOCUMENTS

TRAFFORD = "agreements/trafford.toml"
ID = "trafford-stronger-families"


def test_the_document_of_an_agreement_is_found_by_what_it_says_and_not_by_its_name() -> None:
    moved = {path: text for path, text in DOCUMENTS.items() if path != TRAFFORD}
    moved["agreements/zz/renamed.toml"] = DOCUMENTS[TRAFFORD]
    reader = Rereader()
    assert reader.path_of(DOCUMENTS, ID) == TRAFFORD
    assert reader.path_of(moved, ID) == "agreements/zz/renamed.toml"
    # Of two that say they are the same, the first in the order of their paths.
    assert reader.path_of(DOCUMENTS | moved, ID) == TRAFFORD


def test_an_agreement_that_does_not_load_stands_nowhere() -> None:
    reader = Rereader()
    assert reader.path_of(DOCUMENTS, "nobodys-agreement") == ""
    for broken in ("[purposes", DOCUMENTS[TRAFFORD].replace("[purposes", "[porpoises", 1)):
        assert reader.path_of(DOCUMENTS | {TRAFFORD: broken}, ID) == ""


def test_two_agreements_of_one_id_load_neither() -> None:
    documents = DOCUMENTS | {"agreements/again.toml": DOCUMENTS[TRAFFORD]}
    bundle, findings = Rereader().load(documents)
    whole, expected = policy.load(documents)
    assert ID not in bundle.agreements
    assert bundle == whole
    assert set(findings) == set(expected)


def test_the_same_texts_give_the_same_bundle_until_others_have_come_by() -> None:
    reader = Rereader()
    bundle, _ = reader.load(DOCUMENTS)
    for number in range(BUNDLES_KEPT):
        assert reader.load(DOCUMENTS)[0] is bundle
        other = DOCUMENTS | {TRAFFORD: DOCUMENTS[TRAFFORD] + f"# {number}\n"}
        reader.load(other)
    for number in range(BUNDLES_KEPT):
        reader.load(DOCUMENTS | {TRAFFORD: DOCUMENTS[TRAFFORD] + f"# more {number}\n"})
    again, _ = reader.load(DOCUMENTS)
    assert again is not bundle
    assert again == bundle
    assert len(reader._bundles) == BUNDLES_KEPT


def test_what_all_depend_on_is_kept_for_a_few_drafts_of_it() -> None:
    reader = Rereader()
    base = {path: text for path, text in DOCUMENTS.items() if not path.startswith("agreements/")}
    for number in range(BASES_KEPT + 3):
        reader.load(base | {"vocabulary.toml": base["vocabulary.toml"] + f"# {number}\n"})
    assert len(reader._bases) == BASES_KEPT
