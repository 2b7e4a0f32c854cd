"""ex-CAM: the drop by loops over images, classes and maps, the loss and the random choice by hand, configurations."""

import math

import pytest
import torch
from torch import nn

from tests.support.config_steps import one_step
from wsolkit import Activation, Batch, ConfigError, ShapeError, load_plugins
from wsolkit.components import mean_cosine
from wsolkit.components.heads import ConvHead
from wsolkit.config.find import config_files
from wsolkit.config.load import load_config
from wsolkit.registry import DATASETS, MODELS, MODIFIERS
from wsolkit_excam import ExclusiveMaps, ImportanceOrDrop, SequentialDrop, hard_gates, mean_square_distance

CONFIGS = [
    "excam_resnet101_voc12",
    "excam_resnet101_voc07",
    "excam_mobilenetv2_voc",
    "excam_exclusive_mobilenetv2_voc",
    "excam_adl_mobilenetv2_voc",
    "ccnn_excam_voc",
]


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def dropped_by_loops(maps, several, variant, first_map, delta, temperature, fill):
    """The equations of section 3.3, cell by cell."""
    found = maps.clone()
    images, channels, height, width = maps.shape
    for image in range(images):
        for k in range(channels // several):
            for y in range(height):
                for x in range(width):
                    product = 1.0
                    for j in range(several):
                        raw = float(maps[image, k * several + j, y, x])
                        importance = sigmoid(raw)
                        if temperature is None:
                            m = 1.0 if importance < delta else 0.0
                        else:
                            m = sigmoid((delta - importance) / temperature)
                        if j == 0:
                            gate = 1 - m if first_map == "masked" else 1.0
                        elif variant == "literal":
                            gate = product * m
                        else:
                            gate = product
                        product *= m
                        low = float(maps[image, k * several + j].min()) if fill == "min" else 0.0
                        found[image, k * several + j, y, x] = gate * raw + (1 - gate) * low
    return found


@pytest.mark.parametrize("variant", ["fixed", "literal"])
@pytest.mark.parametrize("first_map", ["masked", "untouched"])
@pytest.mark.parametrize("fill", [0, "min"])
@pytest.mark.parametrize(("delta", "temperature"), [(0.5, None), (0.7, None), (0.4, 0.2)])
def test_the_drop_by_loops(variant, first_map, fill, delta, temperature):
    maps = drawn(2, 6, 3, 4)
    modifier = SequentialDrop(3, variant, delta, temperature, first_map=first_map, fill=fill)
    expected = dropped_by_loops(maps, 3, variant, first_map, delta, temperature, fill)
    torch.testing.assert_close(modifier(maps), expected, atol=1e-5, rtol=1e-5)
    last = maps.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(modifier(last), expected, atol=1e-5, rtol=1e-5)


def test_masks_come_from_the_raw_maps_and_an_important_cell_is_one_at_the_threshold():
    maps = torch.tensor([0.0, -1.0, 5.0]).view(1, 3, 1, 1)  # sigmoid(0) is .5, which is not below it
    assert SequentialDrop(3)(maps).flatten().tolist() == [0, 0, 0]
    maps = torch.tensor([-1.0, 2.0, 3.0]).view(1, 3, 1, 1)  # the second map finds what the third would
    assert SequentialDrop(3)(maps).flatten().tolist() == [0, 2, 0]
    assert SequentialDrop(3, "literal")(maps).flatten().tolist() == [0, 0, 0]


def test_to_the_letter_no_map_after_the_first_is_above_zero():
    found = SequentialDrop(4, "literal")(drawn(2, 8, 5, 5)).unflatten(1, (2, 4))
    assert (found[:, :, 0] >= 0).all()
    assert (found[:, :, 1:] <= 0).all()
    assert (SequentialDrop(4)(drawn(2, 8, 5, 5)).unflatten(1, (2, 4))[:, :, 1:] > 0).any()


def test_it_stops_by_itself_when_everything_is_dropped():
    maps = drawn(1, 4, 3, 3).abs() + 0.1
    maps.requires_grad_()
    modifier = SequentialDrop(4)
    found = modifier(maps)
    assert torch.equal(found[:, 0], maps[:, 0])
    assert not found[:, 1:].any()
    assert modifier.scalars() == {"dropped": 0.75}
    found.square().sum().backward()
    assert torch.isfinite(maps.grad).all()
    assert not maps.grad[:, 1:].any()


def test_it_rests_in_evaluation_unless_it_is_told_otherwise():
    maps = drawn(2, 6, 4, 4)
    modifier = SequentialDrop(3).eval()
    assert modifier(maps) is maps
    assert modifier.scalars() == {}
    always = SequentialDrop(3, at_test=True)
    assert torch.equal(always.eval()(maps), always.train()(maps))
    assert not torch.equal(always(maps), maps)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_filling_with_the_lowest_score_changes_no_kept_cell_and_has_no_gradient(dtype):
    maps = (drawn(2, 6, 5, 5).to(dtype) * 3).requires_grad_()
    modifier = SequentialDrop(3, fill="min")
    found = modifier(maps)
    kept = hard_gates(maps.detach().unflatten(1, (-1, 3))).flatten(1, 2)
    lowest = maps.detach().amin((2, 3), keepdim=True).expand_as(maps)
    assert torch.equal(found[kept], maps[kept])
    assert torch.equal(found[~kept], lowest[~kept])
    found.sum().backward()
    assert torch.equal(maps.grad, kept.to(dtype))


@pytest.mark.parametrize("place", ["image", "layer4"])
def test_it_works_on_the_maps_of_a_class_alone(place):
    with pytest.raises(ConfigError, match=f"SequentialDrop works at='maps' alone, but sits at '{place}' of"):
        MODELS.build(
            {
                "type": "Localizer",
                "backbone": {"type": "TimmBackbone", "name": "test_resnet"},
                "head": {"type": "ConvHead", "num_classes": 3, "maps_per_class": 2},
                "modifiers": [{"type": "SequentialDrop", "at": place}],
            }
        )


def test_images_and_classes_do_not_influence_each_other():
    maps = drawn(3, 6, 4, 4)
    for modifier in (SequentialDrop(3), SequentialDrop(3, temperature=0.1, fill="min")):
        whole = modifier(maps)
        for image in range(3):
            torch.testing.assert_close(modifier(maps[image : image + 1]), whole[image : image + 1])
        torch.testing.assert_close(modifier(maps[:, :3]), whole[:, :3])


def test_many_maps_of_a_class_are_counted_right():
    maps = torch.ones(1, 300, 1, 1)
    found = SequentialDrop()(maps)  # 256 important ones before the 257th map
    assert found.flatten().tolist() == [1] + [0] * 299


def test_gradients_of_the_soft_gate_reach_the_maps_and_delta():
    maps = drawn(1, 4, 2, 2).double().requires_grad_()
    modifier = SequentialDrop(2, temperature=0.3, learn_delta=True, delta=0.6)
    assert float(modifier.delta.detach()) == pytest.approx(0.6)
    weights = drawn(1, 4, 2, 2, seed=1)
    loss = (modifier(maps.float()) * weights).sum()
    grad_maps, grad_delta = torch.autograd.grad(loss, (maps, modifier.delta_logit))

    def value(delta, cells):
        expected = dropped_by_loops(cells, 2, "fixed", "masked", delta, 0.3, 0)
        return float((expected * weights).sum())

    step, cells = 1e-4, maps.detach()
    logit = float(modifier.delta_logit)
    slope = (value(sigmoid(logit + step), cells) - value(sigmoid(logit - step), cells)) / (2 * step)
    assert float(grad_delta) == pytest.approx(slope, rel=1e-2)
    moved = torch.zeros_like(cells)
    moved[0, 1, 1, 0] = step
    slope = (value(0.6, cells + moved) - value(0.6, cells - moved)) / (2 * step)
    assert float(grad_maps[0, 1, 1, 0]) == pytest.approx(slope, rel=1e-2)
    with torch.no_grad():
        modifier.delta_logit.fill_(6.0)
    found = float(modifier.delta.detach())
    assert 0.99 < found < 1
    modifier(maps.float())
    assert modifier.scalars()["delta"] == pytest.approx(found)
    assert list(modifier.state_dict()) == ["delta_logit"]


@pytest.mark.parametrize("variant", ["fixed", "literal"])
@pytest.mark.parametrize("fill", [0, "min"])
def test_straight_through_drops_by_hard_masks_and_has_the_gradients_of_soft_ones(variant, fill):
    maps = drawn(2, 6, 3, 4).requires_grad_()
    options = {"temperature": 0.3, "learn_delta": True, "delta": 0.6, "fill": fill}
    modifier = SequentialDrop(3, variant, straight_through=True, **options)
    found = modifier(maps)
    torch.testing.assert_close(found.detach(), SequentialDrop(3, variant, 0.6, fill=fill)(maps.detach()))
    assert modifier.scalars()["delta"] == pytest.approx(0.6)
    weights = drawn(2, 6, 3, 4, seed=1)
    grad_maps, grad_delta = torch.autograd.grad((found * weights).sum(), (maps, modifier.delta_logit))
    # d/d delta by central differences: what is dropped is linear in the gates, whose slope is the soft ones'
    step, logit, cells = 1e-4, float(modifier.delta_logit), maps.detach()

    def value(at):
        expected = dropped_by_loops(cells.double(), 3, variant, "masked", sigmoid(at), 0.3, fill)
        return float((expected * weights).sum())

    assert float(grad_delta) == pytest.approx((value(logit + step) - value(logit - step)) / (2 * step), rel=1e-2)
    assert float(grad_delta) != 0
    # d/d a cell: the hard gate times its weight, and what moves through the soft gates of this and the later maps
    several = cells.unflatten(1, (2, 3))
    low = several.amin((-2, -1), keepdim=True) if fill == "min" else torch.zeros(1)
    difference = ((several - low) * weights.unflatten(1, (2, 3)))[0, 1, :, 2, 1].double()
    column = several[0, 1, :, 2, 1].double()

    def soft(number, moved):
        m = [sigmoid((0.6 - sigmoid(float(u) + moved * (j == number))) / 0.3) for j, u in enumerate(column)]
        products = [m[0], m[0] * m[1], m[0] * m[1] * m[2]]
        return [1 - m[0], *(products[1:] if variant == "literal" else products[:2])]

    hard = hard_gates(several, 0.6, variant)[0, 1, :, 2, 1]
    for number in range(3):
        slopes = [
            (after - before) / 2e-4 for after, before in zip(soft(number, 1e-4), soft(number, -1e-4), strict=True)
        ]
        expected = float(weights.unflatten(1, (2, 3))[0, 1, number, 2, 1]) * float(hard[number])
        expected += sum(slope * float(part) for slope, part in zip(slopes, difference, strict=True))
        assert float(grad_maps.unflatten(1, (2, 3))[0, 1, number, 2, 1]) == pytest.approx(expected, rel=1e-2, abs=1e-4)


@pytest.mark.parametrize("options", [{}, {"fill": "min"}, {"variant": "literal", "first_map": "untouched"}])
def test_each_map_of_the_class_is_shown_with_what_is_left_of_it(options):
    maps = drawn(1, 6, 3, 4)
    found = SequentialDrop(3, **options).panels(maps, 1)
    assert [each.name for each in found[:2]] == ["map 1: importance", "map 1: what is left"]
    own = maps[0, 3:]
    variant, first = options.get("variant", "fixed"), options.get("first_map", "masked")
    gates = hard_gates(maps.unflatten(1, (-1, 3)), 0.5, variant, first)[0, 1]
    for number in range(3):
        importance, left = found[2 * number : 2 * number + 2]
        torch.testing.assert_close(torch.from_numpy(importance.picture), own[number].sigmoid())
        cells = gates[number] | (own[number] == own[number].min()) if options.get("fill") == "min" else gates[number]
        assert left.picture.tolist() == cells.tolist()
    for panel, sign in zip(found[6:], (1, -1), strict=True):
        mean = (sign * own).clamp(min=0).mean(0)
        assert panel.name == ("positive CAM" if sign == 1 else "negative CAM")
        torch.testing.assert_close(torch.from_numpy(panel.picture), mean / mean.max())


def test_a_small_temperature_is_the_hard_mask():
    maps = drawn(2, 6, 3, 3)
    torch.testing.assert_close(SequentialDrop(3, temperature=1e-5)(maps), SequentialDrop(3)(maps), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"maps_per_class": 1}, r"SequentialDrop needs two maps of a class or more, .*maps_per_class=8"),
        ({"variant": "loud"}, "variant of SequentialDrop should be one of 'fixed', 'literal', but got 'loud'"),
        ({"first_map": "x"}, "first_map of SequentialDrop should be one of 'masked', 'untouched', but got 'x'"),
        ({"fill": -1}, "fill of SequentialDrop should be one of 0, 'min', but got -1"),
        ({"delta": 1.0}, r"delta of SequentialDrop should be a number in \(0, 1\), but got 1\.0"),
        ({"temperature": 0.0}, r"temperature of SequentialDrop should be a number in \(0, inf\) or None, but got 0\.0"),
        ({"learn_delta": True}, "cannot learn delta with hard masks, .*Set temperature"),
        ({"straight_through": True}, "gradients of soft masks with straight_through=True, but has no temp.*Set temp"),
    ],
)
def test_bad_settings_of_the_drop_are_explained(options, words):
    with pytest.raises(ConfigError, match=words):
        SequentialDrop(**options)


def localizer(modifiers, head=None, **options):
    backbone = {"type": "TimmBackbone", "name": "test_resnet"}
    head = head or {"type": "ConvHead", "num_classes": 2, "maps_per_class": 3}
    return MODELS.build(
        {
            "type": "Localizer",
            "backbone": backbone,
            "head": head,
            "modifiers": modifiers,
            "precision": "fp32",
            **options,
        }
    )


def test_the_number_of_maps_comes_from_the_head_and_may_not_contradict_it():
    model = localizer([{"type": "SequentialDrop", "at": "maps"}], losses=[{"type": "BinaryCrossEntropy"}])
    assert model.head.map_modifiers[0].maps_per_class == 3
    values = model.train().loss(Batch(drawn(2, 3, 64, 64), torch.eye(2)))
    assert 0 < float(values["maps.0/dropped"]) < 1
    with pytest.raises(ConfigError, match="SequentialDrop has maps_per_class=2, but the head ConvHead has .*=3"):
        localizer([{"type": "SequentialDrop", "at": "maps", "maps_per_class": 2}])
    with pytest.raises(ConfigError, match="SequentialDrop needs two maps .* on the maps of CAMHead"):
        localizer(
            [{"type": "SequentialDrop", "at": "maps"}], head={"type": "CAMHead", "num_classes": 2, "form": "conv"}
        )
    with pytest.raises(ShapeError, match="SequentialDrop has maps_per_class=4, which does not divide the 6 maps"):
        SequentialDrop(4)(drawn(1, 6, 2, 2))


@pytest.mark.parametrize("pooling", ["AveragePooling", "WildcatPooling", "MaxPooling", "LogSumExpPooling"])
def test_it_works_under_any_pooling(pooling):
    torch.manual_seed(0)
    head = ConvHead({"last": 5}, 2, pooling={"type": pooling}, maps_per_class=3)
    head.map_modifiers = nn.Sequential(MODIFIERS.build({"type": "SequentialDrop", "maps_per_class": 3}))
    features = drawn(2, 5, 4, 4).requires_grad_()
    found = head.train()({"last": features})
    found.logits.sum().backward()
    assert torch.isfinite(features.grad).all()
    raw = head.classifier(features)
    expected = dropped_by_loops(raw.detach(), 3, "fixed", "masked", 0.5, None, 0).unflatten(1, (2, 3)).mean(2)
    torch.testing.assert_close(found.maps, expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(head.eval()({"last": features}).maps, raw.unflatten(1, (2, 3)).mean(2))


def test_the_mean_cosine_and_the_distance_by_loops():
    maps = drawn(2, 3, 4, 2, 5)
    maps[0, 0, 1] = 0  # a map of zeros
    cosine, distance = mean_cosine(maps), mean_square_distance(maps)
    for image in range(2):
        for k in range(3):
            cells = maps[image, k].flatten(1).tolist()
            cosines, distances = [], []
            for i in range(4):
                for j in range(4):
                    if i != j:
                        lengths = math.hypot(*cells[i]) * math.hypot(*cells[j])
                        dot = sum(a * b for a, b in zip(cells[i], cells[j], strict=True))
                        cosines.append(dot / lengths if lengths else 0.0)
                        distances.append(sum((a - b) ** 2 for a, b in zip(cells[i], cells[j], strict=True)))
            assert float(cosine[image, k]) == pytest.approx(sum(cosines) / 12, abs=1e-6)
            assert float(distance[image, k]) == pytest.approx(sum(distances) / 12 / 10, abs=1e-5)


def test_exclusive_maps_look_at_the_classes_that_are_there():
    maps = drawn(2, 3, 4, 2, 2).requires_grad_()
    activation = Activation(maps.mean(2), torch.zeros(2, 3), extras={"maps_per_class": maps})
    values = mean_cosine(maps).detach()
    images = torch.zeros(2, 3, 8, 8)
    both = torch.tensor([[1.0, 0, 1], [0, 1, 0]])
    loss = ExclusiveMaps()(activation, Batch(images, both))
    assert float(loss) == pytest.approx(float((values[0, 0] + values[0, 2] + values[1, 1]) / 3))
    loss.backward()
    assert not maps.grad[0, 1].any()
    assert maps.grad[0, 0].any()
    single = ExclusiveMaps()(activation, Batch(images, torch.tensor([2, 1])))
    assert float(single) == pytest.approx(float((values[0, 2] + values[1, 1]) / 2))
    every = ExclusiveMaps(present_only=False)(activation, Batch(images))
    assert float(every) == pytest.approx(float(values.mean()))
    assert float(ExclusiveMaps()(activation, Batch(images, torch.zeros(2, 3)))) == 0
    far = ExclusiveMaps("distance")(activation, Batch(images, both))
    distances = mean_square_distance(maps)
    assert float(far) == pytest.approx(-float((distances[0, 0] + distances[0, 2] + distances[1, 1]) / 3))


def test_exclusive_maps_say_what_does_not_fit():
    activation = Activation(torch.zeros(2, 3, 1, 1), torch.zeros(2, 3))
    batch = Batch(torch.zeros(2, 3, 8, 8), torch.tensor([0, 1]))
    with pytest.raises(ConfigError, match=r"ExclusiveMaps .*head=dict\(type='ConvHead', maps_per_class=8\)"):
        ExclusiveMaps()(activation, batch)
    activation.extras["maps_per_class"] = drawn(2, 3, 2, 1, 1)
    for labels, words in (
        (None, "ExclusiveMaps needs labels"),
        (torch.zeros(2, 4), r"\(2, 4\), .*num_classes"),
        (torch.tensor([0, 3]), r"\(2,\), .*num_classes"),
    ):
        with pytest.raises(ShapeError, match=words):
            ExclusiveMaps()(activation, Batch(batch.images, labels))
    with pytest.raises(ConfigError, match="form of ExclusiveMaps should be one of 'cosine', 'distance', but got 'l1'"):
        ExclusiveMaps("l1")


def test_importance_or_drop_by_hand():
    maps = drawn(4, 5, 3, 3)
    weighted = ImportanceOrDrop(drop_prob=0)(maps)
    torch.testing.assert_close(weighted, maps / (1 + (-maps).exp()))
    edge = torch.zeros(1, 1, 2, 2, requires_grad=True)  # an importance of .5 is dropped, and its gradient with it
    ImportanceOrDrop(threshold=0.5, drop_prob=1)(edge).sum().backward()
    assert edge.grad.abs().sum() == 0
    ImportanceOrDrop(drop_prob=0)(edge).sum().backward()
    assert torch.allclose(edge.grad, torch.full_like(edge, 0.5))  # the importance and its own gradient, U being 0
    steep = torch.ones(1, 1, 1, 1, requires_grad=True)
    ImportanceOrDrop(drop_prob=0)(steep).sum().backward()
    share = 1 / (1 + math.exp(-1))
    assert float(steep.grad) == pytest.approx(share + share * (1 - share))
    modifier = ImportanceOrDrop(threshold=0.7, drop_prob=1)
    lost = 1 / (1 + (-maps).exp()) >= 0.7
    assert torch.equal(modifier(maps), maps * ~lost)
    assert modifier.scalars()["dropped"] == pytest.approx(float(lost.float().mean()))
    assert modifier.eval()(maps) is maps


def test_a_map_of_zeros_has_no_similarity_and_no_gradient():
    maps = torch.zeros(1, 1, 3, 2, 2)
    maps[0, 0, 1:] = torch.rand(2, 2, 2, generator=torch.Generator().manual_seed(0))
    maps.requires_grad_()
    first, second = maps.detach()[0, 0, 1].flatten(), maps.detach()[0, 0, 2].flatten()
    cosine = float(first @ second / (first.norm() * second.norm()))
    found = mean_cosine(maps)
    assert float(found.detach()) == pytest.approx(2 * cosine / 6)
    found.sum().backward()
    assert maps.grad[0, 0, 0].abs().max() == 0
    assert 0 < maps.grad.abs().max() < 10


@pytest.mark.parametrize(("per", "draws"), [("map", 64 * 32), ("image", 64), ("batch", 1)])
def test_one_draw_for_each_map_image_or_batch(per, draws):
    torch.manual_seed(0)
    maps = torch.full((64, 32, 2, 2), 1.0)
    found = ImportanceOrDrop(drop_prob=0.25, per=per)(maps)
    zero = (found == 0).flatten(2)
    assert torch.equal(zero.all(2), zero.any(2))  # a map is treated as one
    by_map = zero.all(2)
    if per == "map":
        assert 0.2 < float(by_map.float().mean()) < 0.3
        assert 0 < int(by_map[0].sum()) < 32
    else:
        assert torch.equal(by_map.all(1), by_map.any(1))
        assert by_map.any(1).unique().numel() == min(draws, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threshold": 0.0}, r"threshold of ImportanceOrDrop should be a number in \(0, 1\), but got 0\.0"),
        ({"drop_prob": 1.5}, r"drop_prob of ImportanceOrDrop should be a number in \[0, 1\], but got 1\.5"),
        ({"per": "cell"}, "per of ImportanceOrDrop should be one of 'map', 'image', 'batch', but got 'cell'"),
    ],
)
def test_bad_settings_of_the_random_choice_are_explained(options, words):
    with pytest.raises(ConfigError, match=words):
        ImportanceOrDrop(**options)


def test_the_layout_of_voc2007_is_read(tmp_path):
    lists, notes = tmp_path / "ImageSets" / "Main", tmp_path / "Annotations"
    for folder in (lists, notes, tmp_path / "JPEGImages"):
        folder.mkdir(parents=True)
    config = load_config("excam_resnet101_voc07", {"data_root": str(tmp_path)})
    classes = ["aeroplane", "bicycle"]
    for split, names in (("trainval", ["000005", "000007"]), ("val", ["000007"]), ("test", ["000001"])):
        (lists / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
        for label, kind in enumerate(classes):
            lines = [f"{name} {' 1' if number % 2 == label else '-1'}\n" for number, name in enumerate(names)]
            (lists / f"{kind}_{split}.txt").write_text("".join(lines))
    (notes / "000001.xml").write_text(
        "<annotation><size><width>353</width><height>500</height></size><object><name>bicycle</name><difficult>0"
        "</difficult><bndbox><xmin>48</xmin><ymin>240</ymin><xmax>195</xmax><ymax>371</ymax></bndbox></object>"
        "</annotation>"
    )
    train = DATASETS.build({**config.train_dataloader.dataset, "classes": classes})
    assert [train.record(number)["labels"] for number in range(len(train))] == [[0], [1]]
    assert len(DATASETS.build({**config.train_dataloader.dataset, "classes": classes, "split": "val"})) == 1
    test = DATASETS.build({**config.test_dataloader.dataset, "classes": classes})
    assert test.record(0)["boxes"] == [[47, 239, 195, 371]]
    assert config.data_root == str(tmp_path)


def test_the_method_is_found_and_its_card_has_its_numbers():
    ((found, source),) = [pair for pair in load_plugins().methods if pair[0].name == "ex-CAM"]
    assert source.plugin == "excam"
    assert set(found.configs) == {name for name in config_files() if name.startswith("excam_")}
    card = found.card_text()
    for value in found.reported.values():
        assert f"{value:.3f}".rstrip("0").lstrip("0") in card


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CONFIGS if not name.endswith("voc12")])  # voc07 is the same network
@pytest.mark.filterwarnings("ignore:The backbone has no pretrained weights")
def test_a_step_of_every_network(name, tmp_path, monkeypatch):
    one_split = {"train_dataloader.dataset.split": "train"}  # drawn scenes have no split trainval
    monkeypatch.setattr("tests.support.config_steps.load_config", lambda config: load_config(config, one_split))
    net, predictions = one_step(name, tmp_path / "run", multi_label=True)
    assert net.head.maps_per_class == 8
    assert predictions[0].logits.shape == (3,)
    assert predictions[0].maps.shape == (1, 64, 64)
    kinds = {"exclusive": [], "adl": ["ImportanceOrDrop"]}
    wanted = [*kinds.get(name.split("_")[1], ["SequentialDrop"]), "ScaleGradient"]
    assert [type(modifier).__name__ for modifier in net.head.map_modifiers] == wanted
    assert net.head.map_modifiers[-1].factor == 8
    assert ("exclusive_maps" in net.losses) == ("exclusive" in name)
