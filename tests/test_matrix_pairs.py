"""The search behind the compatibility matrix, on axes small enough to count by hand."""

from wsolkit.testing.pairs import Outcome, explore, fill_up, pairs_between

SMALL = [["a1", "a2", "a3"], ["b1", "b2", "b3", "b4"], ["c1", "c2"], ["d1", "d2", "d3"]]


def small_run(refusing):
    """Return a function that tries combinations of which some hold a refusing pair, and the list of those tried."""
    tried = []

    def run(combination):
        tried.append(combination)
        for pair in refusing:
            if set(pair) <= set(combination):
                return Outcome(False, tuple(pair), f"{' and '.join(pair)} do not fit")
        return Outcome(True)

    return run, tried


def test_the_search_covers_every_pair_and_finds_the_refusing_ones():
    refusing = [("a1", "b1"), ("a1", "b2"), ("c2", "d3"), *(("a3", name) for name in ("b1", "b2", "b3"))]
    run, tried = small_run(refusing)
    explored = explore(SMALL, run)
    assert set(explored.refused) == {frozenset(pair) for pair in refusing}
    ran = [combination for combination in tried if explored.outcomes[combination].runs]
    seen = {frozenset((one, two)) for combination in ran for one in combination for two in combination if one != two}
    assert seen == explored.covered == set(pairs_between(SMALL)) - set(explored.refused)
    assert len(pairs_between(SMALL)) == 3 * 4 + 3 * 2 + 3 * 3 + 4 * 2 + 4 * 3 + 2 * 3
    assert not explored.failures
    assert not explored.apart
    assert len(tried) == len(set(tried)) < 40  # of 72


def test_pairs_that_cannot_meet_are_told_apart():
    run, _ = small_run(
        [("c1", "d1"), *((name, "d2") for name in ("a1", "a2")), *((name, "d3") for name in ("a1", "a2"))]
    )
    explored = explore(SMALL, run)
    assert explored.apart == {frozenset(("a1", "c1")), frozenset(("a2", "c1"))}


def test_a_crash_and_a_refusal_that_holds_once_only_are_failures():
    def run(combination):
        if {"a1", "b1"} <= set(combination):
            return Outcome(False, (), "KeyError: 'x'")
        if {"a2", "b2", "c1"} <= set(combination):
            return Outcome(False, ("a2", "b2"), "a2 and b2 do not fit")
        return Outcome(True)

    reasons = explore(SMALL, run).failures.values()
    assert "KeyError: 'x'" in reasons
    assert all("KeyError" in reason or "nothing it names refuses elsewhere" in reason for reason in reasons)


def test_the_pair_is_found_where_a_refusal_names_a_third_part():
    only = {"a2": "d2", "a3": "d3"}  # these two work with one d each, so that other reasons are in the way

    def run(combination):
        a, _, c, d = combination
        if a in only and d != only[a]:
            return Outcome(False, (a, d), f"{a} needs {only[a]}, not {d}")
        if a == "a2" and c == "c2":
            return Outcome(False, (a, c, d), f"{a} with {d} does not take {c}")
        return Outcome(True)

    explored = explore(SMALL, run)
    expected = [("a2", "c2"), ("a2", "d1"), ("a2", "d3"), ("a3", "d1"), ("a3", "d2")]
    assert set(explored.refused) == {frozenset(pair) for pair in expected}
    assert not explored.failures


def test_pairs_that_are_not_to_be_tried_are_left_out():
    never = {frozenset(("a1", "b1")), frozenset(("a2", "c2"))}
    run, tried = small_run([])
    explored = explore(SMALL, run, never)
    assert explored.covered == set(pairs_between(SMALL)) - never
    assert not any(pair <= set(combination) for pair in never for combination in tried)


def test_a_combination_is_completed_around_refusals():
    refused = [frozenset(("a1", name)) for name in ("b1", "b2", "b3")]
    assert fill_up(SMALL, ["a1", "c2"], set(), refused) == ("a1", "b4", "c2", "d1")
    assert fill_up(SMALL, ["a1", "b2"], set(), refused) is None
    assert fill_up(SMALL, ["a1"], {frozenset(("a1", "d3"))}, refused)[3] == "d3"
