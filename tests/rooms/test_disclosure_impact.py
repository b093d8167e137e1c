"""What is told of a change is bounded: tens, and nothing finer, however two versions differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.disclosure.impact import Change, Impact, OutputPicture, Picture, impact
from gateway.disclosure.succession import members

MARKS = st.sets(st.integers(0, 400), max_size=200)


def a_picture(people: set[int], *, small: int = 0, unique: int = 0, **columns: str) -> Picture:
    marks = np.array(sorted(people), dtype=np.uint64)
    output = OutputPicture(
        recipient="ons-research",
        columns=columns or {"sex": "keep"},
        k=5,
        k_reached=7 if people else 0,
        small_groups=small,
        unique=unique,
    )
    return Picture(
        members=members(marks, marks // 3),
        withheld={"objected": len(people) // 7},
        outputs={"payload": output},
    )


def counts(told: Impact) -> Iterator[str]:
    changes: list[Change] = [*told.withheld.values()]
    for moved in (told.people, told.families):
        changes.append(moved.total)
        yield from (moved.gained, moved.lost)
    for output in told.outputs:
        changes += [output.small_groups, output.unique]
    for change in changes:
        yield from (change.before, change.after, change.difference)


@given(MARKS, MARKS, st.integers(0, 60), st.integers(0, 60))
def test_no_count_is_finer_than_ten(before: set[int], after: set[int], old: int, new: int) -> None:
    told = impact(a_picture(before, small=old), a_picture(after, unique=new))
    assert all(each == "<10" or int(each) % 10 == 0 for each in counts(told))


@given(MARKS, st.integers(0, 400))
def test_two_drafts_that_differ_by_one_person_tell_of_no_difference_below_ten(
    people: set[int], one: int
) -> None:
    now = a_picture(set())
    told = [impact(now, a_picture(each)) for each in (people | {one}, people - {one})]
    numbers = [int(each.people.total.after.replace("<10", "0")) for each in told]
    assert abs(numbers[0] - numbers[1]) in {0, 10}


@given(MARKS, MARKS)
def test_the_difference_is_that_of_the_rounded_counts(before: set[int], after: set[int]) -> None:
    total = impact(a_picture(before), a_picture(after)).people.total
    expected = int(total.after.replace("<10", "0")) - int(total.before.replace("<10", "0"))
    assert total.difference == (f"{expected:+d}" if expected else "<10")


def test_columns_that_come_go_and_change_are_named() -> None:
    before = a_picture({1}, sex="keep", age="age-band-5", district="postcode-district")
    after = a_picture({1}, sex="keep", age="age-band-10", arm="keep")
    (output,) = impact(before, after).outputs
    assert output.columns_gained == ("arm",)
    assert output.columns_lost == ("district",)
    assert output.columns_changed == (("age", "age-band-5", "age-band-10"),)


def test_the_recipient_of_an_output_is_the_new_one_or_the_last_it_had() -> None:
    before, after = a_picture({1}), a_picture({1})
    moved = Picture(outputs={"payload": OutputPicture(recipient="another", columns={})})
    assert [output.recipient for output in impact(before, moved).outputs] == ["another"]
    assert [output.recipient for output in impact(before, Picture()).outputs] == ["ons-research"]
    assert [output.recipient for output in impact(Picture(), after).outputs] == ["ons-research"]


def test_a_version_that_is_refused_carries_no_column_but_says_its_groups() -> None:
    refused = Picture(
        outputs={"payload": OutputPicture(recipient="r", columns={"a": "keep"}, small_groups=40)},
        reasons=(("disclosure/group-too-small", "Too small."),),
    )
    (output,) = impact(a_picture({1}), refused).outputs
    assert output.columns_gained == ()
    assert output.columns_lost == ("sex",)
    assert (output.small_groups.before, output.small_groups.after) == ("<10", "40")


def test_the_k_that_is_reached_is_told_no_finer_than_the_limit_or_tens() -> None:
    (output,) = impact(a_picture(set()), a_picture({1})).outputs
    assert (output.k_before, output.k_after) == ("not reached", "5 or more")


def test_nobody_stands_in_the_words_of_a_picture() -> None:
    assert "1" not in repr(a_picture({1, 11, 111}).members)
