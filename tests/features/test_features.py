"""Cached features: the backbone's own, whole or not at all, of the right weights and files; trainings from them."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from wsolkit.components.cams import MultiScaleMaps
from wsolkit.config.load import load_config
from wsolkit.datasets.image_files import ImageFile
from wsolkit.datasets.image_folder import ImageFolder
from wsolkit.errors import ConfigError, DataError, MapError
from wsolkit.features.cached import open_features
from wsolkit.features.compute import compute_features, count_missing, kept_features
from wsolkit.features.dataset import CachedDataset, split_pipeline
from wsolkit.features.frozen import checked_model
from wsolkit.interfaces import KnownLevels
from wsolkit.labelling.corrections import pooled_rows
from wsolkit.labelling.seen import Seen
from wsolkit.model.localizer import Localizer
from wsolkit.training.train import train
from wsolkit.weights.checkpoint import read_checkpoint

SIZE = (64, 64)
RESIZE = v2.Resize(SIZE, antialias=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name in ("owl", "robin"):
        (folder / name).mkdir()
        for number in range(6):
            pixels = rng.integers(0, 255, (70, 90, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def images(photos, tmp_path):
    """Copies, which a test may change."""
    found = []
    for path in sorted(photos.rglob("*.png"))[:5]:
        copied = tmp_path / f"{len(found)}.png"
        copied.write_bytes(path.read_bytes())
        found.append(ImageFile(copied.name, str(copied)))
    return found


def localizer(seed=0):
    torch.manual_seed(seed)
    return Localizer(
        backbone={"type": "TimmBackbone", "name": "resnet18", "levels": ["layer1", "layer2"]},
        head={"type": "LinearHead", "num_classes": 2},
        losses=[{"type": "CrossEntropy"}],
        precision="fp32",
        freeze=["model"],
    ).eval()


def pixels_of(image):
    return RESIZE(torch.from_numpy(np.array(Image.open(image.path))).permute(2, 0, 1))


def of_image(model, image, mirrored):
    pixels = pixels_of(image)[None]
    pixels = pixels.flip(-1) if mirrored else pixels
    with torch.no_grad():
        return model.levels_of(model.data_preprocessor({"inputs": pixels})["inputs"])


def test_features_are_the_backbone_s_of_the_image_and_its_mirror_image(images, tmp_path):
    model = localizer()
    found = compute_features(model, images, tmp_path / "features", RESIZE, SIZE)
    assert (len(found), found.kept, found.sizes[0], found.failures) == (5, 5, (90, 70), {})
    levels = found.levels([3, 1], [False, True])
    for place, (index, mirrored) in enumerate([(3, False), (1, True)]):
        for name, wanted in of_image(model, images[index], mirrored).items():
            torch.testing.assert_close(levels[name][place], wanted[0], atol=2e-3, rtol=2e-3)
    again = open_features(tmp_path / "features")
    assert torch.equal(again.levels([1])["layer2"], found.levels([1])["layer2"])


def test_the_model_goes_on_from_known_levels(images, tmp_path):
    model = localizer()
    found = compute_features(model, images, tmp_path / "features", RESIZE, SIZE)
    known = found.known([0, 1, 2])
    pixels = torch.stack([pixels_of(each) for each in images[:3]])
    batch = {"inputs": pixels, "labels": torch.tensor([0, 1, 1]), "image_ids": ["a", "b", "c"]}
    of_images, of_levels = model.test_step(batch), model.test_step({**batch, "inputs": known})
    for one, other in zip(of_images, of_levels, strict=True):
        torch.testing.assert_close(other.logits, one.logits, atol=1e-2, rtol=1e-2)
        assert other.maps.shape == one.maps.shape
        assert float((other.maps - one.maps).abs().mean()) < 0.01
    with pytest.raises(ConfigError, match="known by their cached features alone, but a part of the model works on"):
        torch.nn.functional.interpolate(known, size=(32, 32))


def computed(monkeypatch):
    """Count the images that go through a backbone."""
    counts = []
    inner = Localizer.levels_of

    def counted(self, images):
        counts.append(len(images) if isinstance(images, torch.Tensor) else 0)
        return inner(self, images)

    monkeypatch.setattr(Localizer, "levels_of", counted)
    return counts


def test_a_second_time_only_what_is_new_or_changed_is_computed(images, tmp_path, monkeypatch):
    model, folder = localizer(), tmp_path / "features"
    before = compute_features(model, images[:3], folder, RESIZE, SIZE).levels([0, 2])["layer1"]
    counts = computed(monkeypatch)
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(images[1].path)
    found = compute_features(model, images, folder, RESIZE, SIZE)
    assert sum(counts) - 1 == 2 * 3  # one image tells the shapes; the changed and the two new ones, mirrored too
    assert torch.equal(found.levels([0, 2])["layer1"], before)
    assert found.sizes[1] == (20, 20)
    counts.clear()
    other = compute_features(localizer(seed=1), images, folder, RESIZE, SIZE)
    assert sum(counts) - 1 == 2 * 5
    assert not torch.equal(other.levels([0, 2])["layer1"], before)
    counts.clear()
    compute_features(localizer(seed=1), images, folder, v2.Resize((32, 32)), (32, 32))
    assert sum(counts) - 1 == 2 * 5


def test_what_another_training_has_put_there_is_never_taken(images, tmp_path, monkeypatch):
    monkeypatch.setattr("wsolkit.features.compute.CHUNK", 1)
    model, folder = localizer(), tmp_path / "features"
    mine = compute_features(model, images[:2], folder, RESIZE, SIZE)
    mine.levels([0])
    compute_features(localizer(seed=1), images[:2], folder, RESIZE, SIZE)
    with pytest.raises(DataError, match=r"no longer those of this model.* with feature_cache.shared, which keeps both"):
        kept_features(model, images[:2], folder, RESIZE, SIZE)
    with pytest.raises(DataError, match="no longer those of this model"):
        mine.levels([1])
    shutil.rmtree(folder)
    with pytest.raises(DataError, match="no longer those of this model"):
        mine.levels([1])


def test_what_other_weights_or_files_left_behind_is_missing(images, tmp_path):
    model, folder = localizer(), tmp_path / "features"
    assert count_missing(model, images, folder, RESIZE, SIZE) == 5
    compute_features(model, images[:4], folder, RESIZE, SIZE)
    assert count_missing(model, images, folder, RESIZE, SIZE) == 1
    assert count_missing(localizer(seed=1), images, folder, RESIZE, SIZE) == 5
    assert count_missing(model, images, folder, RESIZE, SIZE, mirror=False) == 5
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(images[1].path)
    assert count_missing(model, images, folder, RESIZE, SIZE) == 2


def test_a_chunk_that_was_cut_off_is_computed_again(images, tmp_path, monkeypatch):
    monkeypatch.setattr("wsolkit.features.compute.CHUNK", 2)
    model, folder = localizer(), tmp_path / "features"
    whole = compute_features(model, images, folder, RESIZE, SIZE).levels(range(5))["layer2"]
    (folder / "00001.json").unlink()
    array = folder / "00002.npy"
    array.write_bytes(array.read_bytes()[:200])
    counts = computed(monkeypatch)
    found = compute_features(model, images, folder, RESIZE, SIZE)
    assert sum(counts) - 1 == 2 * 3
    torch.testing.assert_close(found.levels(range(5))["layer2"], whole, atol=2e-3, rtol=2e-3)


def test_what_does_not_fit_is_computed_when_it_is_asked_for(images, tmp_path):
    model = localizer()
    values = sum(int(level[0].numel()) for level in of_image(model, images[0], False).values())
    bounded = compute_features(model, images, tmp_path / "some", RESIZE, SIZE, most_gb=2.5 * 4 * values / 1e9)
    assert bounded.kept == 2
    assert bounded.sizes == [(90, 70)] * 5
    whole = compute_features(model, images, tmp_path / "all", RESIZE, SIZE)
    mirrored = [False, True, True, False, True]
    for name, level in bounded.levels(range(5), mirrored).items():
        torch.testing.assert_close(level, whole.levels(range(5), mirrored)[name], atol=2e-3, rtol=2e-3)
    assert sum(path.stat().st_size for path in (tmp_path / "some").glob("*.npy")) < 2.5 * 4 * values
    with pytest.raises(DataError, match=r"The features of 4\.png are not in"):
        type(bounded)(tmp_path / "some", images).known([4])


def test_images_that_cannot_be_read_are_told(images, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    found = compute_features(localizer(), [ImageFile("broken", str(broken)), *images], tmp_path / "f", RESIZE, SIZE)
    assert list(found.failures) == [0]
    assert found.kept == 5
    with pytest.raises(DataError, match="cannot be read"):
        found.known([0])


@pytest.fixture
def cut_off(images, tmp_path):
    """A photograph whose header can be read and whose pixels cannot."""
    path = tmp_path / "cut.jpg"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (70, 90, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    return ImageFile("cut.jpg", str(path))


def test_a_truncated_image_beyond_the_room_becomes_a_failure(images, cut_off, tmp_path):
    model, files = localizer(), [*images, cut_off]
    found = compute_features(model, files, tmp_path / "features", RESIZE, SIZE, most_gb=0)
    assert (found.kept, found.failures) == (0, {})
    assert found.try_known([0, 5, 1, 2, 3, 4], True) is None
    assert list(found.failures) == [5]
    mirrored = [True, False, False, True, False]
    whole = compute_features(model, images, tmp_path / "all", RESIZE, SIZE)
    assert found.try_known(range(5), mirrored) is not None
    for name, level in found.levels(range(5), mirrored).items():
        torch.testing.assert_close(level, whole.levels(range(5), mirrored)[name], atol=2e-3, rtol=2e-3)
    with pytest.raises(DataError, match="cannot be read"):
        found.try_known([5])


def test_what_failed_once_is_tried_again(images, cut_off, tmp_path, monkeypatch):
    model, files = localizer(), [cut_off, *images[:1]]

    def memory_gone(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("wsolkit.datasets.loading.read_shrunk", memory_gone)
        found = compute_features(model, files, tmp_path / "features", RESIZE, SIZE)
    assert found.failures == {0: "MemoryError", 1: "MemoryError"}
    assert not list((tmp_path / "features").glob("*.npy"))
    found = compute_features(model, files, tmp_path / "features", RESIZE, SIZE)
    assert (list(found.failures), found.kept) == ([0], 1)
    assert open_features(tmp_path / "features").failures == {}


def test_a_training_and_a_labelling_leave_out_a_truncated_image(photos, cut_off, tmp_path):
    shutil.copytree(photos, tmp_path / "photos")
    shutil.copy(cut_off.path, tmp_path / "photos" / "owl" / "0.jpg")
    dataset = ImageFolder(str(tmp_path / "photos"), split="all", pipeline=[RESIZED], on_corrupt="skip")
    records = [dataset.record(index) for index in range(len(dataset))]
    files = [ImageFile(record["image_id"], record["image_path"]) for record in records]
    bad = next(index for index, image in enumerate(files) if image.path.endswith("0.jpg"))
    group, model = [0, 1, 2, 3], localizer()
    assert bad in group
    found = [compute_features(model, files, tmp_path / "features", RESIZE, SIZE, most_gb=0) for _ in range(3)]
    batch = CachedDataset(dataset, found[0], None).__getitems__(group)
    wanted = [index + (index == bad) for index in group]
    assert batch["image_ids"] == [files[index].image_id for index in wanted]
    assert len(batch["inputs"]) == len(batch["labels"]) == 4
    assert dataset.corrupt() == [files[bad].path]
    dataset.on_corrupt = "error"
    with pytest.raises(DataError, match="cannot be read"):
        CachedDataset(dataset, found[1], None).__getitems__(group)
    seen = Seen(SimpleNamespace(files=files), SimpleNamespace(batch_size=4), found[2])
    rows = pooled_rows(kept_features(model, files, tmp_path / "features", RESIZE, SIZE))
    assert [index for index in range(len(files)) if not rows[index].any()] == [bad]
    (labelled,) = seen.batches(group)
    assert [each.path for each in labelled.failures] == [files[bad].path]
    assert labelled.paths == [files[index].path for index in group if index != bad]


def test_no_features_without_numbers(images, tmp_path):
    model = localizer()
    model.backbone.model.layer2[0].bn1.bias.data[0] = float("nan")
    with pytest.raises(MapError, match=r"Image '0\.png': the backbone's features hold NaN or infinity"):
        compute_features(model, images, tmp_path / "features", RESIZE, SIZE)
    assert not list((tmp_path / "features").glob("*.npy"))
    model = localizer()
    model.backbone.model.layer2[1].bn2.bias.data[0] = 1e6
    with pytest.raises(ConfigError, match="which half precision does not hold. Leave feature_cache"):
        compute_features(model, images, tmp_path / "features", RESIZE, SIZE)


def test_a_stranger_s_folder_is_left_alone(images, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "features.json").write_text(json.dumps({"mine": 1}))
    for folder, words in (("mine", "was not written by"), (".", "is not empty and holds no features of ours")):
        with pytest.raises(ConfigError, match=words):
            compute_features(localizer(), images, tmp_path / folder, RESIZE, SIZE)
    with pytest.raises(DataError, match="holds no features of wsolkit's"):
        open_features(tmp_path / "mine")


RESIZED = {"type": "Resize", "size": SIZE}


def training(photos, **options):
    return load_config(
        "c2am_folder",
        {
            "data_root": str(photos),
            "train_dataloader.dataset.split": "all",
            "train_dataloader.dataset.pipeline": [RESIZED, {"type": "RandomHorizontalFlip"}],
            "train_dataloader.batch_size": 4,
            "train_dataloader.num_workers": 0,
            "train_dataloader.persistent_workers": False,
            "model.losses.0.batch_size": 4,
            "train_cfg.max_epochs": 2,
            "val_dataloader": None,
            "val_cfg": None,
            "val_evaluator": None,
            **options,
        },
    )


def test_a_training_from_features_is_the_training_from_images(photos, tmp_path, monkeypatch):
    plain = train(training(photos), tmp_path / "plain", seed=3)
    counts = computed(monkeypatch)
    cached = train(training(photos, feature_cache={"most_gb": 1.0}), tmp_path / "cached", seed=3)
    assert sum(counts) - 1 == 2 * 12  # once for each image and its mirror image, whatever the epochs
    one, other = (read_checkpoint(found.last)["state_dict"] for found in (plain, cached))
    assert list(one) == list(other)
    for name, value in one.items():
        if value.is_floating_point():
            torch.testing.assert_close(other[name], value, atol=2e-3, rtol=2e-2, equal_nan=True, msg=name)


CROP = {"type": "ResizedRandomCrop", "size": 80, "crop": 64}
GREY = {"type": "RandomGrayscale", "p": 0.01}
FLIP = {"type": "RandomHorizontalFlip"}


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([CROP, FLIP], "does not go with the pipeline of ImageFolder, which is random or moves boxes"),
        ([RESIZED, GREY], "does not go with RandomGrayscale in the pipeline of ImageFolder"),
        ([RESIZED, FLIP, FLIP], "does not go with two mirrorings"),
        ([FLIP], "leaves images at sizes of their own"),
    ],
)
def test_a_pipeline_that_does_more_than_resize_and_mirror_is_refused(photos, steps, words):
    with pytest.raises(ConfigError, match=words):
        split_pipeline(ImageFolder(str(photos), split="all", pipeline=steps))


def test_a_backbone_that_changes_is_refused():
    backbone = {"type": "TimmBackbone", "name": "resnet18", "levels": ["layer1"]}
    head = {"type": "LinearHead", "num_classes": 2}
    for options, words in (
        ({"freeze": ["layer1"]}, r"the backbone is trained \(model.conv1.weight and others\)"),
        ({"modifiers": [{"type": "DropBlock", "at": "layer1"}]}, "DropBlock, which sits on the backbone"),
    ):
        with pytest.raises(ConfigError, match=words):
            checked_model(Localizer(backbone=backbone, head=head, **options))


def test_a_refused_training_leaves_nothing(photos, tmp_path):
    with pytest.raises(ConfigError, match="is written as dict"):
        train(training(photos, feature_cache="here"), tmp_path / "work", seed=0)
    assert not (tmp_path / "work").exists()


def test_known_levels_move_and_split():
    known = KnownLevels({"a": torch.rand(3, 2, 4, 4)}, (32, 32))
    assert tuple(known[1:].shape) == (2, 3, 32, 32)
    assert known.to("cpu").device == torch.device("cpu")
    assert known.new_zeros(3, 0).shape == (3, 0)
    with pytest.raises(ConfigError, match="without those of the mirror image"):
        known.flip(-1)


def test_maps_of_both_sides_are_averaged_from_features(images, tmp_path):
    model = localizer()
    model.cam_method = MultiScaleMaps([1.0])
    found = compute_features(model, images, tmp_path / "features", RESIZE, SIZE)
    pixels = model.data_preprocessor({"inputs": torch.stack([pixels_of(each) for each in images[1:3]])})["inputs"]
    asked = torch.tensor([0, 1])
    with torch.no_grad():
        wanted = model.cam_method(model, pixels, asked)
        maps = model.cam_method(model, found.known(range(5))[1:3], asked)
    assert float((maps - wanted).abs().mean()) < 0.01
    plain = compute_features(model, images, tmp_path / "plain", RESIZE, SIZE, mirror=False)
    with pytest.raises(DataError, match="are those of the images alone"):
        plain.known([0], True)
