"""Every kind of file a folder of photographs holds is either read as it looks or refused in words."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from wsolkit.datasets.decode import read_image
from wsolkit.errors import DataError

SIZE = (60, 44)


@pytest.fixture
def picture():
    coarse = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(SIZE, Image.BICUBIC)


def as_pillow(path):
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}], ids=str)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_is_as_pillow_reads_it(picture, tmp_path, mode, options):
    picture.convert(mode).save(tmp_path / "a.jpg", **options)
    image = read_image(tmp_path / "a.jpg")
    assert image.dtype == torch.uint8
    assert tuple(image.shape) == (3, SIZE[1], SIZE[0])
    difference = np.abs(image.permute(1, 2, 0).numpy().astype(int) - as_pillow(tmp_path / "a.jpg"))
    assert difference.mean() <= (1.5 if mode == "CMYK" else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(picture, tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    picture.save(tmp_path / "a.jpg", exif=exif)
    image = read_image(tmp_path / "a.jpg")
    np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), as_pillow(tmp_path / "a.jpg"))
    assert (image.shape[1] > image.shape[2]) == (orientation >= 5), "should stand upright"


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "webp", "tif"])
def test_other_formats(picture, tmp_path, suffix):
    picture.save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    expected = as_pillow(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{suffix}").permute(1, 2, 0).numpy(), expected)


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path):
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(values).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image[0].numpy(), values >> 8)
    assert torch.equal(image[0], image[2])


def test_palette_and_transparency(picture, tmp_path):
    picture.quantize(16).save(tmp_path / "palette.png")
    assert torch.equal(
        read_image(tmp_path / "palette.png").permute(1, 2, 0),
        torch.from_numpy(np.array(picture.quantize(16).convert("RGB"))),
    )
    transparent = picture.copy()
    transparent.putalpha(100)
    transparent.save(tmp_path / "alpha.png")
    assert read_image(tmp_path / "alpha.png").shape[0] == 3


def test_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.gif")[:, 0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.99])
def test_truncated_jpeg_is_refused_and_not_grey(picture, tmp_path, progressive, kept):
    path = tmp_path / "cut.jpg"
    picture.resize((400, 300)).save(path, progressive=progressive)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(DataError, match=r"cut\.jpg cannot be read .* Replace the file or leave it out"):
        read_image(path)


def test_bytes_behind_a_jpeg_are_harmless(picture, tmp_path):
    path = tmp_path / "a.jpg"
    picture.save(path)
    expected = read_image(path)
    path.write_bytes(path.read_bytes() + b"\0\0some camera's notes")
    assert torch.equal(read_image(path), expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"\(0 bytes\)"),
        (b"hello\n", r"\(6 bytes\)"),
        (b"\xff\xd8\xff\xd9", r"\(4 bytes\)"),
        (b"\x89PNG\r\n", "cannot"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path, content, words):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_image(path)


def test_missing_file_and_floating_point_are_named(tmp_path):
    with pytest.raises(DataError, match="cannot be opened: No such file"):
        read_image(tmp_path / "a.jpg")
    Image.fromarray(np.zeros((4, 4), dtype=np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="floating-point numbers, save it with 8 bits"):
        read_image(tmp_path / "a.tif")
