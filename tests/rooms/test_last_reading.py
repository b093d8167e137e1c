"""Reading for the last time gives room back; counts come from whoever reads to the end."""

from collections import Counter

import polars as pl
import pytest

from gateway.model.stages import last_reading
from gateway.objections import honour
from tests.rooms.objection_people import a_cohort, register_of

FRAMES = [pl.DataFrame({"n": [n]}) for n in range(3)]


class Spent:
    """Partitions that forget each frame as it is read for the last time."""

    def __init__(self):
        self.left = list(FRAMES)

    def __iter__(self):
        return iter(list(self.left))

    def last(self):
        while self.left:
            yield self.left.pop(0)


def test_the_last_reading_gives_every_frame_and_keeps_none():
    spent = Spent()
    assert len(list(spent)) == 3
    assert [frame["n"][0] for frame in last_reading(spent)] == [0, 1, 2]
    assert list(spent) == []


def test_a_frame_is_forgotten_before_the_next_is_given():
    spent = Spent()
    reading = last_reading(spent)
    next(reading)
    assert len(spent.left) == 2


def test_partitions_that_keep_their_frames_are_simply_read():
    assert list(last_reading(FRAMES)) == FRAMES


PEOPLE = [
    {"fn1": name, "fnx": name, "sn1": name * 2, "snx": name * 2, "dob": day, "nhs": number}
    for name, day, number in (
        ("ANNA", "2001-02-03", "9990000018"),
        ("BERYL", "1950-09-12", "9990000026"),
        ("CLIVE", "1977-12-30", "9990000034"),
    )
]


@pytest.fixture
def willing():
    cohort = a_cohort(PEOPLE, families=["f1", "f2", "f3"], blocks=2)
    return honour(cohort, register_of(("objection", PEOPLE[0])))


def test_counts_are_known_before_anyone_has_read(willing):
    assert dict(willing.counts) == {"objected": 1}
    assert len(willing.counts) == 1
    assert willing.counts["objected"] == 1


def test_a_reason_that_withheld_nobody_is_not_counted(willing):
    with pytest.raises(KeyError):
        willing.counts["no-consent"]
    assert willing.counts.get("no-consent", 0) == 0


def test_counts_are_the_same_before_during_and_after_the_reading(willing):
    before = Counter(willing.counts)
    reading = iter(willing.partitions)
    next(reading)
    assert Counter(willing.counts) == before
    assert sum(frame.height for frame in willing.partitions) == len(PEOPLE) - before.total()
    assert Counter(willing.counts) == before
