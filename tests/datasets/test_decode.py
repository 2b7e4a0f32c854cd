"""Every kind of file a folder of photographs holds is either read as it looks or refused in words."""

import zlib

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from wsolkit.datasets import decode
from wsolkit.datasets.decode import read_image, read_shrunk
from wsolkit.datasets.sixteen_bits import bits_used
from wsolkit.errors import ConfigError, DataError
from wsolkit.formats.image_headers import displayed_size

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


def cut_in_half(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + b"\xff\xd9")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_half_a_jpeg_with_an_end_marker_is_refused(picture, tmp_path, mode):
    path = tmp_path / "half.jpg"
    picture.convert(mode).resize((400, 300)).save(path)
    cut_in_half(path)
    with pytest.raises(DataError, match=r"half\.jpg cannot be read .*its data ends early"):
        read_image(path)


def test_a_whole_jpeg_that_ends_grey_is_read(picture, tmp_path):
    framed = Image.new("RGB", (120, 90), (128, 128, 128))
    framed.paste(picture, (10, 10))
    framed.save(tmp_path / "a.jpg", quality=95)
    image = read_image(tmp_path / "a.jpg")
    assert image[:, -1, -1].tolist() == [128, 128, 128]
    np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), as_pillow(tmp_path / "a.jpg"))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 5, 6, 8])
def test_every_format_is_turned_and_its_size_too(picture, tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / f"a.{suffix}"
    picture.save(path, exif=exif)
    image = read_image(path)
    np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), as_pillow(path))
    assert displayed_size(path) == (SIZE[::-1] if orientation >= 5 else SIZE) == (image.shape[2], image.shape[1])


def test_exif_behind_the_pixels_of_a_png(picture, tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    picture.save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    chunk = b"eXIf" + body
    late = len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data[:-12] + late + data[-12:])
    assert displayed_size(tmp_path / "a.png") == SIZE[::-1]
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.png").permute(1, 2, 0).numpy(), np.asarray(picture.transpose(Image.ROTATE_270))
    )


def test_broken_exif_is_no_broken_picture(picture, tmp_path):
    picture.save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert displayed_size(tmp_path / "a.jpg") == SIZE
    assert read_image(tmp_path / "a.jpg").shape == (3, SIZE[1], SIZE[0])


@pytest.mark.parametrize(("largest", "bits"), [(255, 8), (4095, 12), (40000, 16)])
def test_sixteen_bits_of_which_some_are_used(tmp_path, largest, bits):
    values = np.linspace(0, largest, 256).astype(np.uint16).reshape(16, 16)
    wanted = (values >> (bits - 8)).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "gray.png")
    Image.fromarray(values).save(tmp_path / "gray.tif")
    colours = np.dstack([values, values.T, values[::-1]])
    cv2.imwrite(str(tmp_path / "colour.png"), colours[..., ::-1])
    for name in ("gray.png", "gray.tif"):
        np.testing.assert_array_equal(read_image(tmp_path / name)[1].numpy(), wanted)
    read = read_image(tmp_path / "colour.png").permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(read, np.dstack([wanted, wanted.T, wanted[::-1]]))
    for name in ("gray.png", "gray.tif", "colour.png"):
        assert bits_used(tmp_path / name) == (bits if bits < 16 else None)
    Image.fromarray(wanted).save(tmp_path / "eight.png")
    assert bits_used(tmp_path / "eight.png") is None


def test_a_jpeg_that_pillow_cannot_parse_is_left_to_opencv(picture, tmp_path, monkeypatch):
    picture.save(tmp_path / "a.jpg")
    expected = read_image(tmp_path / "a.jpg")

    def confused(*_):
        raise UnidentifiedImageError("no marker found")

    monkeypatch.setattr(Image, "open", confused)
    assert torch.equal(read_image(tmp_path / "a.jpg"), expected)
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"a\.jpg cannot be read \(8 bytes\): no marker found"):
        read_image(tmp_path / "a.jpg")


def test_the_limit_is_said_before_anything_is_decoded_and_can_be_raised(picture, tmp_path, monkeypatch):
    picture.save(tmp_path / "a.png")
    monkeypatch.setenv("WSOLKIT_MAX_PIXELS", str(SIZE[0] * SIZE[1] - 1))
    words = r"a\.png has 60 x 44 pixels, but no more than 2639 are read.*WSOLKIT_MAX_PIXELS to 2640"
    with pytest.raises(DataError, match=words):
        read_image(tmp_path / "a.png")
    assert displayed_size(tmp_path / "a.png") == SIZE
    monkeypatch.setenv("WSOLKIT_MAX_PIXELS", "2640")
    assert read_image(tmp_path / "a.png").shape == (3, 44, 60)
    monkeypatch.setenv("WSOLKIT_MAX_PIXELS", "many")
    with pytest.raises(ConfigError, match="WSOLKIT_MAX_PIXELS should be a number of pixels, but is 'many'"):
        read_image(tmp_path / "a.png")


def test_pillow_keeps_its_own_limit(picture, tmp_path):
    before = Image.MAX_IMAGE_PIXELS
    picture.save(tmp_path / "a.png")
    read_image(tmp_path / "a.png")
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_huge_jpeg_is_decoded_smaller_where_it_will_be_shrunk(tmp_path, monkeypatch):
    ramp = np.linspace(0, 255, 640, dtype=np.uint8)
    Image.fromarray(np.broadcast_to(ramp[None, :, None], (480, 640, 3))).save(tmp_path / "a.jpg", quality=95)
    exif = Image.Exif()
    exif[274] = 6
    Image.open(tmp_path / "a.jpg").save(tmp_path / "turned.jpg", exif=exif, quality=95)
    assert read_shrunk(tmp_path / "a.jpg", (20, 20))[0].shape == (3, 480, 640), "no camera's image changes"
    monkeypatch.setattr(decode, "HUGE", 100_000)
    small, size = read_shrunk(tmp_path / "a.jpg", (20, 20))
    assert (small.shape, size) == ((3, 240, 320), (640, 480))
    assert np.abs(small[0, 100].numpy().astype(int) - ramp[::2]).max() <= 3
    small, size = read_shrunk(tmp_path / "turned.jpg", (20, 20))
    assert (small.shape, size) == ((3, 320, 240), (480, 640))
    assert read_shrunk(tmp_path / "a.jpg", (200, 20))[0].shape == (3, 480, 640), "sides stay twice those wanted"
    monkeypatch.setenv("WSOLKIT_MAX_PIXELS", str(240 * 320))
    assert read_shrunk(tmp_path / "a.jpg", (20, 20))[0].shape == (3, 240, 320)
    with pytest.raises(DataError, match="640 x 480 pixels, but no more than 76800"):
        read_image(tmp_path / "a.jpg")
