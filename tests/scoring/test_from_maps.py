"""Maps, truth and protocols together: numbers counted by hand, in any order of threads, with their conventions."""

import numpy as np
import pytest
from PIL import Image

from wsolkit.datasets.annotations import read_annotations
from wsolkit.errors import ConfigError, DataError, MapError, ShapeError
from wsolkit.evaluation.protocol import Protocol
from wsolkit.evaluation.protocols import PROTOCOLS, choose_protocols
from wsolkit.evaluation.results import FIXED, LABEL_FREE, ORACLE, VAL
from wsolkit.formats.score_maps import open_score_maps
from wsolkit.scoring.from_maps import data_has, score_maps

EXACT = [PROTOCOLS["MaxBoxAcc-exact"]()]
BOX = (1, 1, 5, 4)


def rectangle(box, value=1.0):
    scores = np.zeros((6, 8), np.float32)
    x0, y0, x1, y1 = box
    scores[y0:y1, x0:x1] = value
    return scores


def numbers(found, place=0):
    return [(line.score.percent, line.threshold, line.selection) for line in found.results[place].lines]


def test_one_of_three_boxes_is_wrong(perfect, write_npy, truth):
    perfect["dog/b.jpg"] = rectangle((0, 0, 3, 6))  # IoU 3 / 8
    found = score_maps(open_score_maps(write_npy(perfect)), truth, EXACT, size="map", threshold=0.5)
    (honest, at, selection), (_, cut, free), (oracle, _, best) = numbers(found)
    assert (cut, free) == (0.66, LABEL_FREE)  # three maps say too little to choose by
    assert honest == pytest.approx(200 / 3)
    assert (at, selection, best) == (0.5, FIXED, ORACLE)
    assert oracle == honest
    assert (found.images, found.remarks) == (3, [])
    assert found.results[0].conventions["score maps"] == "at the size they are stored at; 0 of 3 resized"


def test_the_threshold_of_val_is_used_on_test(perfect, write_npy, split, truth):
    """On val the object is where the map is above .6; on test it is the whole of what is above .3."""
    core = {name: np.maximum(rectangle((0, 0, 8, 6), 0.6), box) for name, box in perfect.items()}
    tight = write_npy(core, "val")  # boxes are right for thresholds from .6 on
    loose = {name: np.maximum(0.3 * box, rectangle((0, 0, 1, 1))) for name, box in perfect.items()}
    wrong = write_npy(loose, "test")  # right below .3 only, for two of the three
    maps, val = open_score_maps(wrong), (open_score_maps(tight), truth)
    found = score_maps(maps, truth, EXACT, size="map", val=val, threads=2)
    (honest, at, selection), _, (oracle, best, _) = numbers(found)
    assert selection == VAL
    assert at >= 0.6
    assert best < 0.3
    assert honest == 0
    assert oracle == 100
    assert found.trials_at == {"metric": "MaxBoxAcc-exact", "threshold": at, "selection": VAL, "iou": 0.5}
    assert [trial.image_id for trial in found.trials] == sorted(perfect)
    with pytest.raises(ConfigError, match="either fixed .* or chosen on val"):
        score_maps(maps, truth, EXACT, val=val, threshold=0.2)


def test_without_a_choice_the_numbers_are_an_oracle(perfect, write_npy, truth):
    found = score_maps(open_score_maps(write_npy(perfect)), truth, EXACT)
    assert [selection for _, _, selection in numbers(found)] == [LABEL_FREE, ORACLE]
    assert "test-oracle numbers, for comparison only" in found.remarks[0]
    assert found.trials_at["selection"] == ORACLE
    assert score_maps(open_score_maps(write_npy(perfect)), truth, EXACT, threshold=0.0).remarks == []


def test_maps_are_resized_and_it_is_said(perfect, write_npy, truth):
    maps = open_score_maps(write_npy(perfect))
    found = score_maps(maps, truth, EXACT, size=(12, 16), resize="cubic", threshold=0.5)
    assert found.results[0].conventions["score maps"] == "at 12 x 16 (H x W); 3 of 3 resized (cubic)"
    assert numbers(found)[0][0] == 100
    stored = score_maps(maps, truth, EXACT, size="original", threshold=0.5)
    assert stored.results[0].conventions["score maps"] == "at the size of the image; 0 of 3 resized"
    with pytest.raises(ShapeError, match=r"^Image 'cat/a.jpg': The map is 6 x 8 \(H x W\), but 12 x 16 is wanted"):
        score_maps(maps, truth, EXACT, size=(12, 16), resize="refuse")


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (np.full((6, 8), np.nan), r"The map of image 'cat/a.jpg' in \S+ holds NaN"),
        (np.array([[{}]], dtype=object), r"Array 'cat/a.jpg' in \S+ cannot be read"),
        (np.zeros((3, 6, 8)), r"The map of image 'cat/a.jpg' in \S+ has shape \(3, 6, 8\)"),
    ],
    ids=["nan", "objects", "classes"],
)
def test_an_image_whose_map_is_wrong_is_named_once(perfect, tmp_path, truth, scores, words):
    np.savez(tmp_path / "maps.npz", **{**perfect, "cat/a.jpg": scores})
    maps = open_score_maps(tmp_path / "maps.npz", num_classes=2)
    with pytest.raises((MapError, DataError), match=rf"^{words}") as caught:
        score_maps(maps, truth, EXACT)
    assert str(caught.value).count("cat/a.jpg") == 1


def test_threads_change_nothing(write_npy, tmp_path, split):
    rng = np.random.default_rng(0)
    truth = read_annotations(split)
    maps = open_score_maps(write_npy({name: rng.random((6, 8)) for name in truth.ids}))
    chosen = [*(kind() for kind in choose_protocols([], data_has(truth))), *EXACT]
    one, many = (score_maps(maps, truth, chosen, threads=threads, size="map") for threads in (1, 8))
    assert [result.as_dict() for result in one.results] == [result.as_dict() for result in many.results]
    assert [result.metric for result in one.results].count("MaxBoxAcc") == 1  # its exact twin has its own name
    assert "MaxBoxAcc-exact" in [result.metric for result in one.results]


def test_images_without_a_map(perfect, write_npy, truth):
    del perfect["dog/b.jpg"]
    perfect["bird.jpg"] = rectangle(BOX)
    maps = open_score_maps(write_npy(perfect))
    with pytest.raises(DataError, match=r"1 of the 3 images of .*'test' have no map .*'dog/b.jpg'.*--allow-missing"):
        score_maps(maps, truth, EXACT)
    found = score_maps(maps, truth, EXACT, size="map", threshold=0.5, allow_missing=True)
    assert numbers(found)[0][0] == pytest.approx(200 / 3)
    assert found.results[0].conventions["missing maps"] == "1 images without a map count as a map of zeros"
    assert found.remarks == [
        "1 maps belong to no image of the split: 'bird.jpg'.",
        "1 images without a map count as misses: 'dog/b.jpg'.",
    ]


def test_maps_of_other_classes_are_missing_maps(perfect, truth, tmp_path):
    classes = {"cat/a.jpg": 0, "dog/b.jpg": 0, "dog/c.jpg": 1}  # dog/b was predicted to be a cat
    np.savez(tmp_path / "m.npz", **{f"{name}/{k}": perfect[name] for name, k in classes.items()})
    maps = open_score_maps(tmp_path / "m.npz", num_classes=2)
    with pytest.raises(DataError, match=r"for a class they show: 'dog/b.jpg'.*predict --classes folder"):
        score_maps(maps, truth, EXACT)
    found = score_maps(maps, truth, EXACT, size="map", threshold=0.5, allow_missing=True)
    assert numbers(found)[0][0] == pytest.approx(200 / 3)


def test_no_map_fits(write_npy, truth):
    with pytest.raises(DataError, match=r"None of the 3 images of split 'test' has a map.*maps are named 'x'"):
        score_maps(open_score_maps(write_npy({"x": rectangle(BOX)})), truth, EXACT, allow_missing=True)


def test_a_broken_map_stops_the_run(perfect, write_npy, truth):
    perfect["dog/c.jpg"] = np.full((6, 8), np.nan)
    with pytest.raises(MapError, match=r"The map of image 'dog/c.jpg' in .*c.jpg.npy holds NaN"):
        score_maps(open_score_maps(write_npy(perfect)), truth, EXACT, threads=4)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, 2.0])
def test_thresholds_are_fractions(perfect, write_npy, truth, threshold):
    with pytest.raises(ConfigError, match=r"--threshold should be a fraction in \[0, 1\)"):
        score_maps(open_score_maps(write_npy(perfect)), truth, EXACT, threshold=threshold)


def test_a_fixed_threshold_also_counts_where_nothing_is_swept(perfect, write_npy, truth):
    """A weak border of .4 around each box joins the box at .2 and not at .5."""
    maps = {name: np.maximum(box, rectangle((0, 0, 8, 6), 0.4)) for name, box in perfect.items()}
    folder = open_score_maps(write_npy(maps))
    corloc = [PROTOCOLS["CorLoc"]()]
    low, high = (score_maps(folder, truth, corloc, size="map", threshold=t).results[0] for t in (0.2, 0.5))
    assert high["CorLoc"].percent == 100
    assert low["CorLoc"].percent == 25  # the whole image: 12 / 48 of the cat; 48 / 48 and 18 / 48 of the dogs


def test_logits_open_the_top_1_numbers(perfect, write_npy, truth):
    logits = {"cat/a.jpg": np.array([1.0, 0]), "dog/b.jpg": np.array([1.0, 0]), "dog/c.jpg": np.array([0.0, 1])}
    names = [each.name for each in choose_protocols([], data_has(truth, logits=True))]
    assert "accuracy" in names
    protocols = [PROTOCOLS["localization"](), PROTOCOLS["accuracy"]()]
    found = score_maps(open_score_maps(write_npy(perfect)), truth, protocols, size="map", threshold=0.5, logits=logits)
    assert found.results[0]["GT-known"].percent == 100
    assert found.results[0]["top-1 loc"].percent == pytest.approx(200 / 3)
    assert found.results[1]["top-1 accuracy"].percent == pytest.approx(200 / 3)


def test_pixels_against_masks(layouts, tmp_path, write_npy):
    """PxAP of maps that are the masks, and of maps that are their opposite: every foreground pixel comes last."""
    layouts.write_wsol_metadata(tmp_path, masks=True)
    truth = read_annotations(tmp_path / "metadata", "test", masks=tmp_path / "images")
    assert data_has(truth) == {"masks", "one label per image"}
    inside = {f"{photo.folder}/{photo.name}.jpg": photo.inside for photo in layouts.CONTENT["test"]}
    pxap = [PROTOCOLS["PxAP"]()]
    same = score_maps(open_score_maps(write_npy({k: v * 1.0 for k, v in inside.items()})), truth, pxap, size="map")
    other = score_maps(
        open_score_maps(write_npy({k: 1.0 - v for k, v in inside.items()}, "no")), truth, pxap, size="map"
    )
    share = np.mean([mask.mean() for mask in inside.values()])
    assert same.results[0]["PxAP"].percent == pytest.approx(100)
    assert other.results[0]["PxAP"].percent == pytest.approx(100 * share)


def test_multi_label_maps_against_class_masks(layouts, tmp_path):
    layouts.write_coco(tmp_path)
    truth = read_annotations(tmp_path / "annotations" / "instances_test.json")
    stacks = {}
    for index, photo in enumerate(layouts.CONTENT["test"]):
        stacks[truth.ids[index]] = np.stack([photo.inside * (0.9 if photo.label == k else 0.0) for k in (0, 1)])
    np.savez(tmp_path / "m.npz", **stacks)
    protocols = [kind() for kind in choose_protocols(["mIoU", "box-mAP-given"], data_has(truth))]
    found = score_maps(
        open_score_maps(tmp_path / "m.npz", num_classes=2), truth, protocols, size="original", threshold=0.3
    )
    assert found.results[0]["mIoU"].percent == pytest.approx(100)
    assert found.results[0].lines[0].threshold == pytest.approx(0.3)
    assert found.results[1].lines[0].score.percent == pytest.approx(100)
    with pytest.raises(ConfigError, match=r"No image was measured at the background score 0.005"):
        score_maps(open_score_maps(tmp_path / "m.npz"), truth, protocols, threshold=0.005)


def test_val_has_to_have_the_same_classes(perfect, write_npy, truth, split):
    (split.parent / "classes.txt").write_text("cat\ndog")
    named = read_annotations(split)
    maps = open_score_maps(write_npy(perfect))
    with pytest.raises(DataError, match="validation split has 2 classes .* or their names differ"):
        score_maps(maps, named, EXACT, val=(maps, truth))


def test_progress_counts_every_image(perfect, write_npy, truth):
    seen = []
    maps = open_score_maps(write_npy(perfect))
    score_maps(maps, truth, EXACT, size="map", val=(maps, truth), advance=seen.append)
    assert seen == [1] * 6


def test_an_error_in_a_thread_names_the_image(perfect, write_npy, split, truth):
    class Failing(Protocol):
        name, summary, needs = "failing", "fails", frozenset({"boxes"})

        def make(self, num_classes):
            return EXACT[0].make(num_classes)

        def measure(self, accumulator, image):
            raise DataError("The box is upside down.")

    with pytest.raises(DataError, match=r"^Image 'cat/a.jpg': The box is upside down.$"):
        score_maps(open_score_maps(write_npy(perfect)), truth, [Failing()])


@pytest.mark.parametrize("asked", [["MaxBoxAcc", "localization"], ["localization", "MaxBoxAcc"]])
def test_the_trials_do_not_depend_on_what_was_asked_for_first(perfect, write_npy, truth, asked):
    protocols = [PROTOCOLS[name]() for name in asked]
    found = score_maps(open_score_maps(write_npy(perfect)), truth, protocols, size="map", threshold=0.5)
    assert [result.metric for result in found.results] == asked
    assert found.trials_at["metric"] == "localization"


def test_val_chooses_for_protocols_that_try_no_threshold(perfect, write_npy, truth):
    maps = open_score_maps(write_npy(perfect))
    found = score_maps(maps, truth, [PROTOCOLS["BoxAcc"]()], val=(maps, truth), size="map")
    assert {line.selection for line in found.results[0].lines} == {VAL}
    assert [result.metric for result in found.results] == ["BoxAcc"]
    words = "3 of the 3 scored images have names of validation images: 'cat/a.jpg'"
    assert any(words in each for each in found.remarks)


def test_transposed_maps_are_said(perfect, write_npy, truth):
    flipped = open_score_maps(write_npy({name: box.T for name, box in perfect.items()}, "flipped"))
    (remark,) = score_maps(flipped, truth, EXACT, size=(6, 8), threshold=0.5).remarks
    assert remark.startswith("3 maps have the shape of their image turned by 90 degrees: 'cat/a.jpg', 'dog/b.jpg'")
    assert score_maps(flipped, truth, EXACT, size="map", threshold=0.5).remarks == [remark], "at any size"


def test_sizes_are_compared_with_the_files(perfect, write_npy, split, tmp_path):
    sizes = split / "image_sizes.txt"
    sizes.write_text(sizes.read_text().replace("a.jpg,8,6", "a.jpg,6,8"))
    for name in perfect:
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6)).save(path)
    square = open_score_maps(write_npy({name: np.ones((4, 4), np.float32) for name in perfect}))
    truth = read_annotations(split, images=tmp_path / "images")
    (remark,) = score_maps(square, truth, EXACT, size="map", threshold=0.5).remarks
    assert remark.startswith("1 images are stated with the width and height of their file swapped: 'cat/a.jpg'. Sizes")
