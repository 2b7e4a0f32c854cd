"""Boxes in pixels of the original image, and complaints instead of wrong numbers."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from tests.support.colours import CLASSES, SIDE, colour_model, colour_predictor, scene
from wsolkit.errors import CheckpointError, ConfigError, DataError, MapError
from wsolkit.inference.predictor import Predictor
from wsolkit.interfaces import Activation, ActivationHead
from wsolkit.registry import HEADS

BOX = (16, 8, 80, 40)


@HEADS.register_module(force=True)
class OneMapHead(ActivationHead):
    """A class-agnostic map, the red channel, and no logits."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, levels, batch=None):
        return Activation(levels["colours"][:, :1])


def test_a_box_is_in_pixels_of_the_original_image(predictor):
    (result,) = predictor(scene(BOX))
    (found,) = result.boxes
    assert found.box == BOX
    assert (found.class_index, found.class_name) == (0, "red")
    assert result.size == (128, 64)
    assert found.score == pytest.approx(float(result.probabilities[0])) == pytest.approx(result.top[0][1])
    assert found.map_score == pytest.approx(1.0, abs=0.05)
    logits = 10 * torch.tensor([64 * 32 / (128 * 64), 0, 0])
    assert found.score == pytest.approx(float(logits.softmax(0)[0]), abs=0.02)


def test_a_network_input_that_is_no_square_maps_back():
    wide = Predictor(colour_model(), [v2.Resize((16, 64))], CLASSES, device="cpu")
    assert wide.input_size == (16, 64)
    (result,) = wide(scene((16, 8, 80, 40)))
    assert result.boxes[0].box == (16, 8, 80, 40)


def test_exif_orientation_is_applied(predictor, tmp_path):
    upright = Image.fromarray(scene(BOX))
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right to see it upright
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=100, subsampling=0)
    plain, turned = predictor([tmp_path / "upright.png", tmp_path / "turned.jpg"])
    assert plain.boxes[0].box == turned.boxes[0].box == BOX
    assert turned.size == (128, 64)
    (in_memory,) = predictor(Image.open(tmp_path / "turned.jpg"))
    assert in_memory.boxes[0].box == BOX


def test_every_kind_of_image_gives_the_same_box(predictor, tmp_path):
    array = scene(BOX)
    Image.fromarray(array).save(tmp_path / "a.png")
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    for image in (array, tensor, Image.fromarray(array), tmp_path / "a.png", str(tmp_path / "a.png"), tmp_path):
        assert predictor(image)[0].boxes[0].box == BOX
    assert len(predictor(tensor[None].repeat(3, 1, 1, 1))) == 3
    assert len(predictor(array[None].repeat(3, 0))) == 3
    assert predictor(array[:, :, 0])[0].boxes[0].box == BOX


def test_the_size_of_a_batch_changes_nothing():
    images = [scene((4 * number, 8, 4 * number + 24, 30), colour=number % 3) for number in range(9)]
    one, many = colour_predictor(batch_size=1), colour_predictor(batch_size=9)
    for alone, together in zip(one(images), many(images), strict=True):
        assert alone.boxes == together.boxes


def test_images_are_read_one_batch_at_a_time(predictor):
    read = []

    def endless():
        while True:
            read.append(len(read))
            yield scene(BOX)

    stream = predictor.stream(endless())
    for _ in range(8):
        next(stream)
    assert len(read) <= 8 + 2 * predictor.batch_size


def test_classes_by_probability():
    image = scene(BOX)
    image[40:60, 100:110, 1] = 255
    two = colour_predictor(topk=2)(image)[0]
    assert [found.class_name for found in two.boxes] == ["red", "green"]
    assert two.boxes[1].box == (100, 40, 112, 60)  # widened to whole cells of 4 x 2 pixels
    assert two.boxes[0].score > two.boxes[1].score
    above = colour_predictor(min_score=0.5)(image)[0]
    assert [found.class_name for found in above.boxes] == ["red"]
    assert colour_predictor(min_score=0.99)(image)[0].boxes == []


def test_multi_label_models_give_every_likely_class():
    model = colour_model()
    with torch.no_grad():
        model.head.classifier.bias.fill_(-0.2)
    image = scene(BOX)
    image[40:60, 96:112, 1] = 255
    found = colour_predictor(model=model, multi_label=True)([image, np.zeros_like(image)])
    assert [box.class_name for box in found[0].boxes] == ["red", "green"]
    assert found[0].boxes[0].score == pytest.approx(1 / (1 + np.exp(0.2 - 2.5)), abs=0.02)
    assert found[1].boxes == []
    assert len(found[1].top) == 3


def test_a_given_class_is_used(predictor):
    image = scene(BOX)
    image[40:60, 96:112, 2] = 255
    for given in ([2], ["blue"]):
        (result,) = predictor(image, classes=given)
        assert [(found.class_name, found.box) for found in result.boxes] == [("blue", (96, 40, 112, 60))]
        assert result.boxes[0].score == pytest.approx(float(result.probabilities[2]))
    with pytest.raises(DataError, match=r"'bleu' is no class of the model, which has 3\. Did you mean 'blue'"):
        predictor(image, classes=["bleu"])
    with pytest.raises(DataError, match="no class for image 1"):
        predictor([image, image], classes=["blue"])


def test_folders_name_classes(predictor, photos):
    results = predictor(photos, classes="folder")
    assert [(result.image_id.split("/")[0], result.boxes[0].class_name) for result in results] == [
        (result.image_id.split("/")[0],) * 2 for result in results
    ]
    (photos / "red").rename(photos / "scarlet")
    with pytest.raises(DataError, match="'scarlet'.*is no class of the model"):
        predictor(photos, classes="folder")
    with pytest.raises(ConfigError, match="should be 'predicted', 'folder' or the path of a table .*but got 'folders'"):
        predictor(photos, classes="folders")
    with pytest.raises(ConfigError, match="topk=2 does not go with"):
        colour_predictor(topk=2)(photos, classes="folder")


def test_a_table_names_classes(predictor, photos, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "image,red,green,blue\n" + "".join(f"D:\\\\all\\\\{n}.png,1,{n % 2},0\n" for n in range(6)) + "6,0,0,0\n"
    )
    predictor.min_score = 0.0
    results = {result.image_id: result for result in predictor(photos, classes=str(table))}
    names = {key: {found.class_index for found in result.boxes} for key, result in results.items()}
    assert names["red/0.png"] == {0}
    assert names["green/1.png"] == {1}
    assert names["red/6.png"] == set()
    with pytest.raises(ConfigError, match="does not go with classes='.*labels.csv': the table names the classes"):
        colour_predictor(topk=2)(photos, classes=str(table))


def test_an_empty_map_gives_no_box(predictor):
    (result,) = predictor(np.zeros((40, 40, 3), np.uint8))
    assert result.boxes == []
    assert len(result.top) == 3


def test_a_map_without_classes_finds_objects():
    found = colour_predictor(model=colour_model(head={"type": "OneMapHead"}, losses=[]))
    (result,) = found(scene(BOX))
    assert [(box.class_name, box.box) for box in result.boxes] == [("object", BOX)]
    assert result.boxes[0].score == result.boxes[0].map_score
    assert result.top == []
    (named,) = found(scene(BOX), classes=["green"])
    assert named.boxes[0].class_name == "green"


def test_maps_are_kept_on_request():
    (result,) = colour_predictor(keep_maps=True)(scene(BOX))
    assert result.maps[0].shape == (SIDE, SIDE)
    assert (result.maps[0].min(), result.maps[0].max()) == (0, 1)


def test_the_threshold_says_where_it_comes_from():
    model = colour_model()
    assert colour_predictor(model=model).threshold_source == "from the configuration"
    assert colour_predictor(model=model, threshold=0.25).threshold == 0.25
    assert colour_predictor(model=model).threshold == 0.5, "the model's own threshold stays"
    model.chosen_threshold.fill_(0.2)
    chosen = colour_predictor(model=model)
    assert (chosen.threshold, chosen.threshold_source) == (0.2, "chosen on the validation split")
    assert colour_predictor(model=model, threshold=0.3).threshold_source == "given"
    with pytest.raises(ConfigError, match=r"in \[0, 1\), but the one given is 1.5"):
        colour_predictor(threshold=1.5)


@pytest.mark.parametrize("row", [0, 2])
def test_nan_names_the_image(monkeypatch, row):
    predictor = colour_predictor()
    images = [scene(BOX)] * 4
    activate = predictor.model.activate

    def broken(inputs, batch=None):
        activation = activate(inputs, batch)
        if len(inputs) == 4:
            activation.logits[row, 1] = float("nan")
        return activation

    monkeypatch.setattr(predictor.model, "activate", broken)
    with pytest.raises(MapError, match=f"Image 'image {row}': the model's logits hold NaN"):
        predictor(images)


def test_nan_in_a_map_names_the_image():
    model = colour_model()
    predictor = colour_predictor(model=model)
    model.head.forward = lambda levels, batch=None: Activation(
        torch.where(levels["colours"] > 0.9, float("nan"), 0.0), levels["colours"].mean((2, 3))
    )
    with pytest.raises(MapError, match=r"Image 'image 2': 1 of 1 score maps hold NaN"):
        predictor([scene(BOX, value=99), scene(BOX, value=99), scene(BOX)])


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([v2.Resize(40), v2.CenterCrop(SIDE)], "crops, pads or flips"),
        ([v2.Resize((SIDE, SIDE)), v2.RandomHorizontalFlip(1.0)], "crops, pads or flips"),
        ([v2.Resize((SIDE, SIDE)), v2.ColorJitter(0.5)], "is random"),
        ([v2.Resize(SIDE)], "different sizes"),
        ([], "missing or empty"),
    ],
)
def test_only_a_plain_resize_can_be_undone(steps, words):
    with pytest.raises(ConfigError, match=words) as raised:
        Predictor(colour_model(), steps, CLASSES)
    assert "prediction need a plain Resize" in str(raised.value)


def test_bad_images_and_options_are_explained(predictor, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"bad\.jpg cannot be read \(8 bytes\)"):
        predictor(tmp_path / "bad.jpg")
    with pytest.raises(DataError, match=r"image 0 is a ndarray of shape \(4, 4, 3\) and type float64"):
        predictor(np.zeros((4, 4, 3)))
    with pytest.raises(ConfigError, match="at least 1, but got 0"):
        colour_predictor(topk=0)
    with pytest.raises(ConfigError, match=r"min_score is a probability in \[0, 1\), but got 7"):
        colour_predictor(min_score=7)
    with pytest.raises(ConfigError, match="batch_size .* got 0"):
        colour_predictor(batch_size=0)
    with pytest.raises(ConfigError, match="no device 'gpu'"):
        Predictor(colour_model(), [v2.Resize((8, 8))], CLASSES, device="gpu")
    with pytest.raises(ConfigError, match="tells 3 classes apart, but there are names for 2"):
        Predictor(colour_model(), [v2.Resize((8, 8))], CLASSES[:2])


def test_from_a_configuration(trained):
    predictor = Predictor.from_config(*trained, device="cpu", threshold=0.4)
    assert predictor.classes == CLASSES
    assert predictor.input_size == (SIDE, SIDE)
    assert predictor(scene(BOX))[0].boxes[0].box == BOX
    assert predictor.origin["config"] == "colours"
    changed = Predictor.from_config(
        *trained, device="cpu", cfg_options={"model.box_extractor.threshold": 0.1}, multi_label=True
    )
    assert (changed.threshold, changed.multi_label) == (0.1, True)
    assert changed.origin["config_sha256"] != predictor.origin["config_sha256"]


def test_names_of_classes_come_with_the_checkpoint_and_keep_their_order(trained):
    config, checkpoint = trained
    torch.save({"state_dict": colour_model().state_dict(), "meta": {"classes": list(CLASSES)}}, checkpoint)
    assert Predictor.from_config(config, checkpoint).classes == CLASSES
    text = config.read_text()
    named = f"classes = {list(CLASSES)!r}"
    config.write_text(text.replace(named, ""))
    assert Predictor.from_config(config, checkpoint).classes == CLASSES
    config.write_text(text.replace(named, f"classes = {list(CLASSES[::-1])!r}"))
    with pytest.raises(ConfigError, match="same classes in another order"):
        Predictor.from_config(config, checkpoint)


def test_a_broken_checkpoint_is_explained(trained, tmp_path):
    config, checkpoint = trained
    content = checkpoint.read_bytes()
    (tmp_path / "half.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=r"half.pth .* cannot be read"):
        Predictor.from_config(config, tmp_path / "half.pth")
    state = colour_model().state_dict()
    for change, words in (
        ({"head.classifier.weight": torch.zeros(5, 3)}, r"\(5, 3\) there and \(3, 3\) in the model"),
        ({"extra": torch.zeros(1)}, "the model has no extra"),
        ({"head.classifier.bias": torch.full((3,), float("nan"))}, "holds NaN or infinity in 1 of"),
    ):
        torch.save({"state_dict": {**state, **change}}, tmp_path / "other.pth")
        with pytest.raises(CheckpointError, match=words):
            Predictor.from_config(config, tmp_path / "other.pth")
