"""Answers come in order, a bounded number of items ahead, and what goes wrong is raised where it is taken."""

import threading
import time

import pytest

from wsolkit.errors import ConfigError, DataError
from wsolkit.threads import AHEAD, cores, default_threads, in_order


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_answers_keep_the_order_of_the_items(threads):
    def slow_first(number):
        time.sleep(0.02 if number == 0 else 0)
        return number

    assert list(in_order(slow_first, range(20), threads)) == list(range(20))
    assert list(in_order(slow_first, [], threads)) == []


def test_no_more_than_a_few_items_are_taken_ahead():
    """However slowly answers are taken, items are not read far ahead."""
    taken = []
    answers = in_order(str, (taken.append(number) or number for number in range(100)), threads=2)
    assert next(answers) == "0"
    assert len(taken) == 2 * AHEAD
    assert list(answers) == [str(number) for number in range(1, 100)]
    taken.clear()
    assert next(in_order(str, (taken.append(number) or number for number in range(9)), threads=1, ahead=2)) == "0"
    assert len(taken) == 2


def test_without_threads_the_work_is_done_here():
    here = threading.get_ident()
    assert set(in_order(lambda _: threading.get_ident(), range(3), threads=0)) == {here}
    assert here not in set(in_order(lambda _: threading.get_ident(), range(3), threads=1))


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_is_raised_where_its_answer_is_taken_and_the_rest_is_dropped(threads):
    begun = []

    def work(number):
        begun.append(number)
        if number == 3:
            raise DataError("image 3 is broken")
        return number

    answers = in_order(work, range(1000), threads)
    assert [next(answers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError, match="image 3 is broken"):
        next(answers)
    assert len(begun) <= 4 + 2 * AHEAD


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_an_item_that_cannot_be_made_leaves_the_answers_before_it(threads):
    def items():
        yield from range(5)
        raise DataError("image 5 is broken")

    answers, found = in_order(lambda number: time.sleep(0.01) or number, items(), threads), []
    with pytest.raises(DataError, match="image 5 is broken"):
        found.extend(answers)
    assert found == [0, 1, 2, 3, 4]


def test_the_number_of_threads():
    with pytest.raises(ConfigError, match="threads should be 0 or more, but got -1"):
        next(in_order(str, [1], threads=-1))
    assert 1 <= default_threads() <= min(8, cores())
