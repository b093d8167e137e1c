"""What a sentence calls a thing: by the title that people know, with the id beside it."""

from __future__ import annotations

from gateway.policy import Bundle, compare, parse
from gateway.policy.naming import Names, called, first_words, part, titled
from tests.policies import shelf

AGREEMENT = shelf.STUDY.agreement


def bundle_of(*changes: shelf.Change) -> Bundle:
    return parse(shelf.documents(*changes))


def test_each_thing_of_an_agreement_is_called_by_title_and_id() -> None:
    bundle = bundle_of()
    known = called(AGREEMENT, bundle)
    purposes = bundle.agreements[AGREEMENT].purposes
    assert set(purposes) <= set(known)
    for key, purpose in purposes.items():
        assert known[key] == titled(purpose.title, key)
        for output in purpose.outputs.values():
            assert known[output.recipient] == Names(bundle).of("recipient", output.recipient)
            for written, rule in output.fields.items():
                if "[" in written:
                    continue
                said = Names(bundle).of("field", rule.from_ or written, written, source=rule.source)
                assert known[written] == said


def test_an_agreement_that_one_state_alone_has_is_called_by_that_state() -> None:
    bundle = bundle_of()
    other = parse(shelf.around())
    assert called(AGREEMENT, other, bundle) == called(AGREEMENT, bundle)
    assert called("nothing-of-that-id", bundle) == {}


def test_the_newer_title_is_the_one_that_is_said() -> None:
    old = bundle_of()
    new = bundle_of(('title = "', 'title = "Newer '))
    assert "Newer " in Names(old, new).of("agreement", AGREEMENT)
    assert "Newer " not in Names(new, old).of("agreement", AGREEMENT)


def test_a_title_that_says_no_more_than_its_id_stands_alone() -> None:
    assert titled("", "dob") == "*dob*"
    assert titled("dob", "dob") == "*dob*"
    assert titled("The age band", "age_band") == "The age band"
    assert titled("Two*three", "dob") == "Two\\*three (*dob*)"
    assert titled("Date of birth", "dob") == "Date of birth (*dob*)"


def test_keys_of_the_documents_are_said_in_plain_words() -> None:
    assert part("ends") == "the last day (*ends*)"
    assert part("nobody_knows") == "nobody_knows"


def test_a_meaning_is_cut_at_its_first_stop_and_left_out_where_it_is_long() -> None:
    assert first_words("Date of birth: as registered.") == "Date of birth"
    assert first_words("A *starred* word") == "A *starred* word"
    assert first_words("x" * 61) == ""


def test_a_word_that_joins_a_list_or_leaves_it_is_said() -> None:
    old, new = bundle_of(), bundle_of(('areas = ["Trafford"]', 'areas = ["Stretford"]'))
    where = Names(old, new).of("agreement", AGREEMENT)
    said = compare(old, new)
    assert f"adds *Stretford* to {part('areas')} of {where}" in said
    assert f"removes *Trafford* from {part('areas')} of {where}" in said
