import pytest
from hypothesis import given, strategies as st

from wsolkit.datasets.splits import hash_order, split_by_hash
from wsolkit.errors import ConfigError

names = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=60)
fractions = st.tuples(st.integers(1, 20), st.integers(0, 20), st.integers(0, 20)).map(
    lambda parts: tuple(part / sum(parts) for part in parts)
)


@given(names, fractions)
def test_parts_are_disjoint_complete_and_of_their_size(names, fractions):
    parts = split_by_hash(names, fractions)
    assert sorted(name for part in parts for name in part) == sorted(names)
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * len(names)) < 1


@given(names, st.randoms())
def test_order_of_the_names_does_not_matter(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert hash_order(shuffled) == hash_order(names)
    assert split_by_hash(shuffled, (0.8, 0.1, 0.1)) == split_by_hash(names, (0.8, 0.1, 0.1))


def test_the_division_never_changes():
    parts = split_by_hash([f"cat/{number}.jpg" for number in range(10)], (0.6, 0.2, 0.2))
    assert parts[1:] == [["cat/2.jpg", "cat/6.jpg"], ["cat/7.jpg", "cat/9.jpg"]]


@pytest.mark.parametrize("wrong", [(0.8, 0.1, 0.2), (1.2, -0.1, -0.1)])
def test_wrong_fractions_are_named(wrong):
    with pytest.raises(ConfigError, match="should be 0 or more and add up to 1, but got"):
        split_by_hash(["a"], wrong)


def test_names_that_are_no_utf_8_are_divided_too():
    names = [chr(0xDCE9) + f"{number}.jpg" for number in range(10)]
    assert sorted(name for part in split_by_hash(names, (0.8, 0.1, 0.1)) for name in part) == sorted(names)
