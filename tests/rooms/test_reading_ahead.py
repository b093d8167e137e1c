"""A stage that works one frame ahead gives the same frames, and the same faults."""

import threading

import polars as pl
import pytest

from gateway.model.reading import AT_ONCE, read_ahead, shared_out, side_by_side


def frames(count, *, made=None, fault=None):
    for number in range(count):
        if made is not None:
            made.append(number)
        yield pl.DataFrame({"n": [number]})
    if fault is not None:
        raise fault


@pytest.mark.parametrize("count", [0, 1, 7])
def test_every_frame_comes_once_and_in_order(count):
    assert [frame["n"][0] for frame in read_ahead(frames(count))] == list(range(count))


def test_an_iterator_that_is_no_generator_is_read_too():
    listed = [pl.DataFrame({"n": [1]}), pl.DataFrame({"n": [2]})]
    assert list(read_ahead(iter(listed))) == listed


def test_never_more_than_one_frame_is_made_in_advance():
    made: list[int] = []
    for number, _frame in enumerate(read_ahead(frames(9, made=made))):
        assert len(made) <= number + 2


def test_a_fault_in_the_making_comes_out_after_the_frames_before_it():
    reading = read_ahead(frames(2, fault=OSError("the disk")))
    assert [next(reading)["n"][0], next(reading)["n"][0]] == [0, 1]
    with pytest.raises(OSError, match="the disk"):
        next(reading)


def test_whoever_stops_early_leaves_neither_a_thread_nor_an_open_source():
    closed = threading.Event()

    def source():
        try:
            yield from frames(5)
        finally:
            closed.set()

    before = threading.active_count()
    reading = read_ahead(source())
    next(reading)
    reading.close()
    assert closed.is_set()
    assert threading.active_count() == before


def test_two_things_are_done_side_by_side_and_answered_in_order():
    both_are_here = threading.Barrier(2, timeout=30)

    def named(name):
        both_are_here.wait()
        return name

    assert side_by_side(lambda: named("one"), lambda: named("other")) == ("one", "other")


@pytest.mark.parametrize("first", [True, False])
def test_what_fails_on_either_side_fails_here(first):
    def fault():
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        side_by_side(*((fault, int) if first else (int, fault)))


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_what_is_made_of_each_frame_comes_in_the_order_of_the_frames(count):
    late = [threading.Event() for _ in range(count + 1)]

    def work(frame):
        number = frame["n"][0]
        if number % 2 == 0 and number + 1 < count:
            late[number + 1].wait(5)  # the frame behind it is made first
        late[number].set()
        return number

    assert list(shared_out(frames(count), work)) == list(range(count))


def test_no_more_frames_are_worked_on_than_there_are_threads():
    made: list[int] = []
    for number, _done in enumerate(shared_out(frames(9, made=made), len)):
        assert len(made) <= number + AT_ONCE


def test_a_fault_in_the_work_comes_out_at_its_frames_turn():
    def work(frame):
        if frame["n"][0] == 2:
            raise ValueError("a frame")
        return frame["n"][0]

    working = shared_out(frames(5), work)
    assert [next(working), next(working)] == [0, 1]
    with pytest.raises(ValueError, match="a frame"):
        next(working)


def test_a_fault_in_the_reading_comes_out_and_leaves_no_thread():
    before = threading.active_count()
    with pytest.raises(OSError, match="the disk"):
        list(shared_out(frames(3, fault=OSError("the disk")), len))
    assert threading.active_count() == before
