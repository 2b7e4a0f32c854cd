"""Which trials are shown, and what a picture carries."""

import base64

import cv2
import numpy as np

from wsolkit.evaluation.failures import Trial
from wsolkit.report.pictures import PictureSource, best_trials, card_of, in_turn, worst_trials

TRUTH = ((0.25, 0.25, 0.75, 0.75),)


def trial(name, outcome, iou, box=(0.0, 0.0, 0.5, 0.5)):
    return Trial(name, 0, box, TRUTH, iou, outcome)


def pixels(uri):
    kind, _, data = uri.partition(";base64,")
    return kind, cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_worst_are_taken_evenly_from_the_kinds_of_failure():
    trials = [trial(f"p{number}", "part", 0.01 * number) for number in range(30)]
    trials += [trial("m0", "more", 0.4), trial("m1", "more", 0.3), trial("o", "other", 0.2), trial("h", "hit", 0.01)]
    chosen = worst_trials(trials, most=7)
    assert [each.image_id for each in chosen] == ["p0", "p1", "p2", "p3", "m1", "m0", "o"]
    assert worst_trials(reversed(trials), most=7) == chosen
    assert worst_trials([], most=7) == []


def test_the_best_are_the_hits_of_highest_iou():
    trials = [trial("a", "hit", 0.6), trial("b", "hit", 0.9), trial("c", "part", 0.95), trial("d", "hit", 0.6)]
    assert [each.image_id for each in best_trials(trials, most=3)] == ["b", "a", "d"]


def test_in_turn_of_nothing():
    assert in_turn([], most=3) == []
    assert in_turn([[], [1]], most=3) == [1]


def test_a_card_has_photo_map_and_boxes(images):
    source = PictureSource(str(images), [str(images.parent / "maps")])
    card = card_of([trial("a.jpg", "part", 0.3)], "cat", source)
    assert card.size == (340, 227)
    kind, photo = pixels(card.photo)
    assert kind == "data:image/jpeg"
    assert photo.shape == (227, 340, 3)
    assert photo[100, 100].argmax() == 2  # red, in OpenCV's order
    kind, heat = pixels(card.heats[0])
    assert kind == "data:image/webp"
    assert heat.shape == (7, 7, 4)
    assert np.unravel_index(heat[..., 3].argmax(), (7, 7)) == (3, 3)
    assert heat[0, 0, 3] < 60 < 150 < heat[3, 3, 3]
    assert [(box.style, box.x, box.y, box.width, box.height) for box in card.boxes] == [
        ("truth", 25, 25, 50, 50),
        ("run0", 0, 0, 50, 50),
    ]
    assert source.notes() == []


def test_an_empty_box_is_not_drawn_and_one_outside_is_cut(images):
    source = PictureSource(str(images))
    card = card_of(
        [trial("a.jpg", "miss", 0.0, (0.0,) * 4), trial("a.jpg", "part", 0.1, (-0.5, 0, 2, 1))], "cat", source
    )
    assert [box.style for box in card.boxes] == ["truth", "run1"]
    assert (card.boxes[1].x, card.boxes[1].width) == (0, 100)
    assert card.hits == "00"


def test_what_cannot_be_opened_is_named(images, tmp_path):
    source = PictureSource(str(tmp_path / "gone"), [str(tmp_path / "no_maps"), None])
    card = card_of([trial("a.jpg", "hit", 0.9)] * 2, "cat", source)
    assert (card.photo, card.heats, card.size) == (None, (None, None), (340, 340))
    notes = " ".join(source.notes())
    assert "folder of the images is gone" in notes
    assert "score maps are gone" in notes
    assert "does not say where its score maps are" in notes
    assert "does not say where its images are" in PictureSource(None).notes()[0]


def test_a_damaged_map_and_photo_leave_a_card(images):
    (images / "a.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (images.parent / "maps" / "a.jpg.npy").write_bytes(b"no array")
    source = PictureSource(str(images), [str(images.parent / "maps")])
    for name in ("a.jpg", "absent.jpg", "null\0byte.jpg"):
        card = card_of([trial(name, "hit", 0.9)], "cat", source)
        assert (card.photo, card.heats) == (None, (None,))
    assert source.notes() == ["3 of the photos cannot be read and are left out."]


def test_a_folder_without_maps_is_named(images):
    source = PictureSource(str(images), [str(images)])
    assert "cannot be opened, so they are left out" in source.notes()[0]


def test_the_size_of_a_map_stands_in_for_a_photo_that_is_gone(images):
    np.save(images.parent / "maps" / "wide.jpg.npy", np.random.default_rng(0).random((10, 20), np.float32))
    source = PictureSource(str(images), [str(images.parent / "maps")])
    assert card_of([trial("wide.jpg", "hit", 0.9)], "cat", source).size == (340, 170)
