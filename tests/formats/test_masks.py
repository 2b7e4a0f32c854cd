"""Masks are read as they were written, with the palette of VOC."""

import numpy as np
import pytest
from PIL import Image

from wsolkit.errors import DataError, ShapeError
from wsolkit.formats.masks import (
    read_binary_mask,
    read_gray,
    read_index_mask,
    voc_palette,
    write_gray,
    write_index_mask,
)


def test_masks_have_the_palette_of_voc(tmp_path):
    # the colours of VOC's devkit: aeroplane, bicycle, bird, boat, bottle, person, tvmonitor, void
    known = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 4: (0, 0, 128), 5: (128, 0, 128)}
    known |= {15: (192, 128, 128), 20: (0, 64, 128), 255: (224, 224, 192)}
    for index, colour in known.items():
        assert tuple(voc_palette()[3 * index : 3 * index + 3]) == colour
    mask = np.array([[0, 1], [15, 255]], np.uint8)
    write_index_mask(tmp_path / "a.png", mask)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "P"
        assert (np.array(picture) == mask).all()
        assert picture.convert("RGB").getpixel((0, 1)) == (192, 128, 128)


def test_broken_files_are_told_in_words(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"The cue .*a.png cannot be read.*Delete it and run its stage again"):
        read_gray(tmp_path / "a.png", "The cue")
    write_index_mask(tmp_path / "b.png", np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match="should be 8-bit grayscale, but is P"):
        read_gray(tmp_path / "b.png")
    with pytest.raises(DataError, match=r"c.png is missing. Run the stage that writes it"):
        read_gray(tmp_path / "c.png")


def test_indices_and_grays_are_read_as_they_were_written(tmp_path):
    values = np.arange(256, dtype=np.uint8).reshape(8, 32)
    write_index_mask(tmp_path / "sub" / "mask.png", values)
    assert (read_index_mask(tmp_path / "sub" / "mask.png") == values).all()
    write_gray(tmp_path / "gray.png", values)
    assert (read_gray(tmp_path / "gray.png") == values).all()
    assert (read_index_mask(tmp_path / "gray.png") == values).all()
    assert (read_binary_mask(tmp_path / "gray.png", above=127) == (values > 127)).all()
    assert (read_binary_mask(tmp_path / "gray.png") == (values > 0)).all()


@pytest.mark.parametrize("write", [write_gray, write_index_mask])
def test_only_uint8_of_one_channel_is_written(tmp_path, write):
    for values in (np.zeros((2, 2)), np.zeros((2, 2, 3), np.uint8), np.zeros((0, 2), np.uint8)):
        with pytest.raises(ShapeError, match=r"A picture should be \(H, W\) uint8, but got"):
            write(tmp_path / "a.png", values)
    assert list(tmp_path.iterdir()) == []


def test_voc_colours_keep_their_class_where_a_program_numbered_them_anew(tmp_path):
    values = np.array([[0, 15, 15], [3, 255, 0]], np.uint8)
    write_index_mask(tmp_path / "a.png", values)
    with Image.open(tmp_path / "a.png") as image:
        image.remap_palette([255, 15, 0, 3]).save(tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert set(np.unique(np.array(image))) == {0, 1, 2, 3}
    assert (read_index_mask(tmp_path / "b.png") == values).all()


def test_a_palette_of_other_colours_keeps_its_indices(tmp_path):
    picture = Image.fromarray(np.array([[0, 2], [1, 1]], np.uint8))
    picture.putpalette([0, 0, 0, 255, 255, 255, 1, 2, 3])
    picture.save(tmp_path / "a.png")
    assert read_index_mask(tmp_path / "a.png").tolist() == [[0, 2], [1, 1]]


def test_the_whole_palette_decides_about_indices(tmp_path):
    """A data set with colours of its own is not renumbered where a picture shows none but VOC's."""
    picture = Image.fromarray(np.array([[0, 1]], np.uint8))
    picture.putpalette([0, 0, 0, 0, 128, 0, 70, 70, 70])
    picture.save(tmp_path / "a.png")
    assert read_index_mask(tmp_path / "a.png").tolist() == [[0, 1]]
