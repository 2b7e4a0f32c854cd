import pytest
from hypothesis import given, strategies as st

from wsolkit.errors import DataError
from wsolkit.formats.text_lists import numbered_lines, split_line, whole_number

field = st.text(st.characters(codec="ascii", exclude_characters=",", categories=("L", "N")), min_size=1)


@given(st.text(st.characters(codec="ascii", categories=("L", "P")), min_size=1), field, field)
def test_names_may_hold_the_separator(name, second, third):
    assert split_line("f", 1, f"{name},{second},{third}", "path,width,height") == [name, second, third]


def test_blank_lines_count_and_byte_order_marks_do_not(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\n\r\n b ")
    assert list(numbered_lines(path)) == [(1, "a"), (3, "b")]
    path.write_bytes(b"a\nb\xff\xfe\x00")
    with pytest.raises(DataError, match=r"list\.txt is no UTF-8 text: byte 0xff in line 2"):
        list(numbered_lines(path))
    with pytest.raises(DataError, match=r"List .*other\.txt cannot be opened: No such file"):
        list(numbered_lines(tmp_path / "other.txt"))


@pytest.mark.parametrize("text", ["3", "-1", "1.0", "x", ""])
def test_numbers_that_are_not_allowed(text):
    with pytest.raises(DataError, match=f"f, line 7: the label should be one of 0 to 2, but got '{text}'"):
        whole_number("f", 7, text, "label", range(3))
