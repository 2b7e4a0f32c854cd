from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wsolkit.errors import ConfigError
from wsolkit_scenes.creatures import CLASS_NAMES, CREST_COLOURS, draw_pose, paint_creature
from wsolkit_scenes.landscapes import LANDSCAPES, paint_landscape
from wsolkit_scenes.scenes import Scene, SceneOptions, object_labels, render_scene
from wsolkit_scenes.sprites import lay_sprite

SINGLE = SceneOptions(num_classes=12, size=(80, 64))
SEVERAL = SceneOptions(num_classes=12, size=(80, 80), objects=(2, 4))


def scenes(options: SceneOptions, count: int = 24, split: int = 0, seed: int = 3) -> list[Scene]:
    return [render_scene(seed, split, index, options) for index in range(count)]


def inside(box: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    x0, y0, x1, y1 = box.astype(int)
    pixels = np.zeros(shape, dtype=bool)
    pixels[y0:y1, x0:x1] = True
    return pixels


def longer_sides(options: SceneOptions) -> np.ndarray:
    boxes = np.concatenate([scene.boxes for scene in scenes(options)])
    return np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) / min(options.size)


def test_twelve_readable_distinct_classes():
    assert len(set(CLASS_NAMES)) == 12
    assert {"ring-red", "star-blue", "cross-yellow", "fan-red"} <= set(CLASS_NAMES)


@pytest.mark.parametrize("options", [SINGLE, SEVERAL], ids=["single", "several"])
def test_boxes_are_the_tight_bounds_of_the_masks(options):
    for scene in scenes(options):
        for number, (label, box, part) in enumerate(zip(scene.labels, scene.boxes, scene.part_boxes, strict=True), 1):
            pixels = scene.instances == number
            rows, columns = np.nonzero(pixels)
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert (scene.mask[pixels] == label + 1).all()
            assert inside(box, pixels.shape)[inside(part, pixels.shape)].all()
            assert (pixels & inside(part, pixels.shape)).any()
        assert (scene.mask[scene.instances == 0] == 0).all()
        assert scene.instances.max() == len(scene.labels)


def test_mask_agrees_with_the_outline_it_was_painted_from():
    for label in range(12):
        rng = np.random.default_rng(label)
        pose = draw_pose(rng, label).placed(20.0, np.array([50.0, 50.0]))
        picture = np.full((100, 100, 3), 255.0, dtype=np.float32)
        instances, crests = np.zeros((100, 100), np.uint8), np.zeros((100, 100), bool)
        lay_sprite(picture, instances, crests, paint_creature(rng, pose, np.zeros((64, 64), np.float32), 0.0), 1)
        rows, columns = np.nonzero(instances)
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(np.array(found) - pose.box()).max() < 1.5
        assert (picture[instances == 0] > 100).all(), "a creature is painted where its mask says background"
        assert (picture[instances == 1].min(axis=1) < 240).all(), "the mask claims pixels nothing was painted on"
        assert (instances[crests] == 1).all()


def test_the_part_is_small_and_shows_the_colour_of_its_class():
    for scene in scenes(replace(SINGLE, size=(128, 128)), 12):
        (x0, y0, x1, y1), body = scene.part_boxes[0].astype(int), scene.instances == 1
        part = body[y0:y1, x0:x1]
        assert 0.03 < part.sum() / body.sum() < 0.35
        colours = np.array(list(CREST_COLOURS.values()), np.float64)
        pixels = scene.image[y0:y1, x0:x1][part].astype(np.float64)
        saturated = pixels[np.ptp(pixels, axis=1) > 100]
        angles = (saturated @ colours.T) / np.linalg.norm(colours, axis=1)
        assert np.bincount(angles.argmax(axis=1), minlength=3).argmax() == scene.labels[0] % 3


def test_several_objects_stay_mostly_visible():
    for scene in scenes(SEVERAL):
        assert 2 <= len(scene.labels) <= 4
        for number, (box, part) in enumerate(zip(scene.boxes, scene.part_boxes, strict=True), 1):
            other = (scene.instances > 0) & (scene.instances != number)
            assert (other & inside(box, other.shape)).sum() <= 0.25 * inside(box, other.shape).sum()
            assert part[2] - part[0] >= 2
            assert part[3] - part[1] >= 2


def test_the_same_scene_whenever_it_is_asked_for():
    first = render_scene(1, 0, 7, SEVERAL)
    render_scene(9, 2, 3, SINGLE)
    again = render_scene(1, 0, 7, SEVERAL)
    assert (first.image == again.image).all()
    assert (first.boxes == again.boxes).all()


def test_seed_split_and_number_each_make_another_scene():
    images = [render_scene(*key, SINGLE).image for key in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]]
    for number, image in enumerate(images):
        for other in images[number + 1 :]:
            assert (image != other).mean() > 0.5


def test_labels_are_balanced_and_those_rendered():
    labels = [object_labels(5, 1, index, SINGLE) for index in range(36)]
    assert np.bincount(np.concatenate(labels)).tolist() == [3] * 12
    assert [scene.labels.tolist() for scene in scenes(SINGLE, 12, split=1, seed=5)] == labels[:12]
    assert labels[:12] != labels[12:24]
    for index, scene in enumerate(scenes(SEVERAL, 12)):
        assert sorted(scene.labels.tolist()) == sorted(object_labels(3, 0, index, SEVERAL))


@pytest.mark.parametrize("sizes", [(0.3, 0.4), (0.6, 0.9)])
def test_object_size_is_the_longer_side(sizes):
    options = SceneOptions(size=(96, 128), object_size=sizes)
    found = longer_sides(options)
    slack = 2 / 96
    assert sizes[0] - slack <= found.min() < found.max() <= sizes[1] + slack
    assert np.ptp(found) > 0.5 * (sizes[1] - sizes[0])


def test_several_objects_shrink_only_where_they_must():
    roomy = replace(SEVERAL, objects=(2, 2), object_size=(0.25, 0.3))
    assert longer_sides(roomy).min() >= 0.25 - 2 / 80
    crowded = replace(SEVERAL, objects=(4, 4), object_size=(0.8, 0.8))
    assert longer_sides(crowded).max() < 0.8


def test_context_ties_the_background_to_the_class():
    kinds = list(LANDSCAPES)
    tied = [(scene.labels[0] % len(kinds), scene.background) for scene in scenes(replace(SINGLE, context=1.0))]
    assert all(kinds[label] == background for label, background in tied)
    free = [(scene.labels[0] % len(kinds), scene.background) for scene in scenes(SINGLE)]
    assert sum(kinds[label] == background for label, background in free) < len(free) / 2


def test_clutter_adds_stones_and_leaves_the_objects_alone():
    for index in range(6):
        bare, full = (render_scene(0, 0, index, replace(SINGLE, clutter=clutter)) for clutter in (0.0, 1.0))
        assert bare.clutter == 0
        assert full.clutter >= 4
        assert (bare.instances == full.instances).all()
        assert (bare.image != full.image).any()


@pytest.mark.parametrize("kind", LANDSCAPES)
def test_backgrounds_have_texture_and_colour(kind):
    picture, sheet = paint_landscape(np.random.default_rng(0), kind, 64, 48, horizon=18)
    assert np.isfinite(picture).all()
    assert picture[18:].std(axis=(0, 1)).min() > 3
    assert np.abs(picture[:18].mean(axis=(0, 1)) - picture[18:].mean(axis=(0, 1))).max() > 8
    assert sheet.min() >= -1
    assert sheet.max() <= 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"num_classes": 13}, "num_classes should be 1 to 12, but got 13"),
        ({"num_classes": 0}, "num_classes"),
        ({"size": (16, 64)}, "image_size should be 32"),
        ({"objects": (3, 2)}, "fewest <= most"),
        ({"object_size": (0.5, 1.2)}, "object_size"),
        ({"object_size": (0.05, 0.5)}, "too few to tell its class"),
        ({"clutter": 1.5}, "clutter should lie in"),
        ({"context": -0.1}, "context should lie in"),
    ],
)
def test_options_out_of_range_are_explained(wrong, words):
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        SceneOptions(**wrong)


@pytest.mark.parametrize("size", [(32, 32), (40, 200), (200, 40)])
def test_unusual_sizes(size):
    for scene in scenes(SceneOptions(size=size, clutter=1.0), 6):
        assert scene.image.shape == (size[1], size[0], 3)
        assert (scene.boxes[:, 2:] > scene.boxes[:, :2]).all()
        assert (scene.part_boxes[:, 2:] > scene.part_boxes[:, :2]).all()
