"""An extract is read with its direct identifiers noted, and gives no more than was asked for."""

import polars as pl
import pytest

from gateway.adapters.tapping import Tap, Tapped, untapped

FRAMES = [
    pl.DataFrame(
        {
            "person_id": [f"P{n}"],
            "std.fn1": [name],
            "std.snx": [f"{name}SON"],
            "std.pc": ["ZA11AA"],
            "flag": ["Y"],
        }
    )
    for n, name in enumerate(("TESTERINA", "TESTERBERT"))
]


class Extract:
    """Two stored blocks; notes which columns were asked for."""

    rows = 2

    def __init__(self):
        self.asked = []

    def frames(self, columns=None):
        self.asked.append(columns)
        for frame in FRAMES:
            yield (
                frame
                if columns is None
                else frame.select(name for name in columns if name in frame.columns)
            )


@pytest.fixture
def tapped():
    return Tapped(Extract(), Tap())


def known(tapped, *cells):
    return tapped.tap.seen().known(pl.Series(cells, dtype=pl.String))


def test_only_what_was_asked_for_comes_out(tapped):
    assert [frame.columns for frame in tapped.frames(["flag", "absent"])] == [["flag"]] * 2


def test_everything_comes_out_where_everything_was_asked_for(tapped):
    assert pl.concat(tapped.frames()).equals(pl.concat(FRAMES))


def test_names_are_noted_though_nobody_asked_for_them(tapped):
    assert known(tapped, "TESTERINA") == 0
    list(tapped.frames(["flag"]))
    assert known(tapped, "TESTERINA", "TESTERBERTSON") == 2
    assert known(tapped, "SOMEBODYELSE") == 0


def test_what_was_not_read_was_not_noted(tapped):
    reading = tapped.frames(["flag"])
    next(reading)
    assert known(tapped, "TESTERINA") == 1
    assert known(tapped, "TESTERBERT") == 0


def test_a_second_reading_knows_the_same_people(tapped):
    for _ in range(2):
        list(tapped.frames(["flag"]))
        assert known(tapped, "TESTERINA", "TESTERBERT", "SOMEBODYELSE") == 2


def test_the_rows_of_the_extract_are_counted_as_they_are(tapped):
    assert tapped.rows == 2


def test_nothing_of_a_person_shows_in_what_is_printed(tapped):
    list(tapped.frames(["flag"]))
    assert "TESTER" not in repr(tapped)


def test_where_nothing_was_noted_nobody_may_ask_what_was_found():
    with pytest.raises(RuntimeError, match="never serialised"):
        untapped()
