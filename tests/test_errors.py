"""What errors carry beside their words, and the sentences that many parts say."""

import copy
import math
import pickle

import pytest

from wsolkit.errors import ConfigError, DataError, MapError, ShapeError, in_range, naming, noting, one_of, telling


@pytest.mark.parametrize("make", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy], ids=["pickle", "copy"])
def test_an_error_keeps_its_words_and_what_it_is_about_on_its_way_to_another_process(make):
    error = make(DataError("The image 'cat' is empty.", about=["cat", "CrossEntropy"]))
    assert type(error) is DataError
    assert (str(error), error.about) == ("The image 'cat' is empty.", ("cat", "CrossEntropy"))


def test_a_name_is_put_before_an_error_once():
    with pytest.raises(ShapeError, match=r"^Image 'cat': too small$") as caught, naming("cat"), naming("cat"):
        raise ShapeError("too small", about="Resize")
    assert caught.value.about == ("Resize", "cat")
    assert isinstance(caught.value.__cause__, ShapeError)


def test_an_error_that_is_about_a_name_already_stays_as_it_is():
    error = MapError("The map of 'cat' holds NaN.", about="cat")
    with pytest.raises(MapError) as caught, naming("cat"):
        raise error
    assert caught.value is error


def test_a_name_that_only_happens_to_be_in_the_words_is_put_before_them():
    with pytest.raises(DataError, match=r"^Image 'a': This has a hole\.$"), naming("a"):
        raise DataError("This has a hole.")


def test_other_errors_pass_unnamed():
    with pytest.raises(ValueError, match="^other$"), naming("cat"):
        raise ValueError("other")


def test_what_errors_tell_is_marked_for_whoever_would_add_it():
    with pytest.raises(MapError, match=r"^The map of 'cat' is empty\.$") as caught, naming("cat"), telling("cat"):
        raise MapError("The map of 'cat' is empty.", about="HeadMaps")
    assert caught.value.about == ("HeadMaps", "cat")


def test_a_note_is_put_behind_an_error_once():
    note = noting("The loss is Focal, the head Conv.", "Focal", "Conv")
    again = noting("The loss is Focal, the head Conv.", "Focal", "Conv")
    words = r"^Focal needs labels\. \(The loss is Focal, the head Conv\.\)$"
    with pytest.raises(ShapeError, match=words) as caught, note, again:
        raise ShapeError("Focal needs labels.", about="Focal")
    assert caught.value.about == ("Focal", "Conv")


def test_a_note_on_one_thing_leaves_errors_about_others_alone():
    error = ShapeError("Sigma is negative.", about="Noise")
    with pytest.raises(ShapeError) as caught, noting("Here Drop sits inside VGG.", "Drop", "VGG", only="Drop"):
        raise error
    assert caught.value is error


def test_a_choice_is_returned_or_refused_with_the_allowed_ones():
    assert one_of("mode", "b", ("a", "b")) == "b"
    with pytest.raises(ConfigError, match=r"^mode should be one of 'a', 'b', but got 'c'\.$"):
        one_of("mode", "c", ("a", "b"))


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        ("in [0, 1)", [0, 0.999], [-1e-9, 1, "0.5", None]),
        ("in (0, 1]", [1e-9, 1], [0, 1.1]),
        ("at least 1", [1, math.inf], [0, 0.99]),
        ("above 0", [1e-9], [0, -1]),
        ("at most 2.5", [2.5, -7], [2.6]),
        ("below 1e-3", [0], [0.001, 1]),
    ],
)
def test_numbers_are_compared_with_bounds(bounds, inside, outside):
    assert [in_range("x", number, bounds) for number in inside] == inside
    for number in (*outside, math.nan):
        with pytest.raises(ConfigError) as caught:
            in_range("x of Part", number, bounds)
        assert str(caught.value) == f"x of Part should be {bounds}, but got {number!r}."


@pytest.mark.parametrize("bounds", ["[0; 1]", "more than 0", "at least one", "in [0, one]", ""])
def test_bounds_that_nobody_can_read_name_what_has_them_and_how_they_are_written(bounds):
    with pytest.raises(ConfigError) as caught:
        in_range("x of Part", "no number", bounds)
    assert str(caught.value) == (
        f"x of Part has the bounds {bounds!r}, which cannot be read. Write 'in [0, 1)', 'at least 1', 'above 0', "
        "'at most 1' or 'below 1'."
    )
