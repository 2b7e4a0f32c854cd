"""What the papers print about their trainings stands in the resolved configurations, whatever their bases say."""

import pytest

from wsolkit.config.load import load_config

ONE_RATE = {"backbone": 1.0, "head": 1.0}
PRINTED = {
    "wildcat_resnet101_voc": {"lr": 0.01, "batch": 16, "lr_mult": {"backbone": 0.1, "head": 1.0}, "epochs": 20},
    "wildcat_resnet101_voc07": {"lr": 0.01, "batch": 16, "lr_mult": {"backbone": 0.1, "head": 1.0}, "epochs": 20},
    "excam_resnet101_voc07": {"batch": 16},
    "excam_resnet101_voc12": {"batch": 16},
    "rcam_vgg16_cub": {"lr": 1e-4, "batch": 32},
    **{f"{name}_vgg16_cub": {"lr": 1e-3, "batch": 64, "weight_decay": 1e-4, "epochs": 80} for name in ("eil", "meil")},
    **{f"ass_vgg16_{data}": {"lr": 1e-3, "batch": 32, "lr_mult": ONE_RATE} for data in ("cub", "ilsvrc")},
    **{
        f"adh_{name}_{data}": {"lr": 1e-3, "batch": 32, "lr_mult": ONE_RATE}
        for name in ("vgg16", "resnet50")
        for data in ("cub", "ilsvrc")
    },
    **{
        f"csoa_{name}": {"lr": 1e-3, "batch": 48, "momentum": 0.9, "weight_decay": 5e-4, "lr_mult": ONE_RATE,
                         "decay_mult": {}, "gamma": 0.95, "classes": 12, "images": 4}
        for name in ("vgg16_cub", "inceptionv3_cub", "inceptionv3_ilsvrc")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_a_configuration_trains_as_the_paper_prints(name):
    config = load_config(name)
    wrapper, loader = config.optim_wrapper, config.train_dataloader
    found = {
        **{key: wrapper.optimizer.get(key) for key in ("lr", "momentum", "weight_decay")},
        **{key: dict(wrapper.paramwise_cfg.get(key, {})) for key in ("lr_mult", "decay_mult")},
        **{key: loader.get("batch_sampler", {}).get(key) for key in ("classes", "images")},
        "batch": loader.batch_size,
        "epochs": config.train_cfg.max_epochs,
        "gamma": config.param_scheduler[0].get("gamma"),
    }
    assert {key: found[key] for key in PRINTED[name]} == PRINTED[name]


PARTS = {
    "rcam_vgg16_cub": {
        "model.head.pooling.type": "SoftmaxWeightedPooling", "model.cam_method.type": "RecombinedMaps",
        "model.box_extractor.type": "TwoStageBox", "test_evaluator.extractor.type": "TwoStageBox",
    },
    "wildcat_resnet101_voc07": {
        "model.head.maps_per_class": 8, "model.head.pooling.kmax": 0.2, "model.head.pooling.kmin": 0.2,
        "model.head.pooling.alpha": 0.7, "model.modifiers.0.type": "ScaleGradient", "model.modifiers.0.at": "maps",
        "train_dataloader.dataset.pipeline.0.size": (448, 448),
    },
    "excam_resnet101_voc12": {
        "model.modifiers.0.type": "SequentialDrop", "model.modifiers.1.type": "ScaleGradient",
    },
    "excam_exclusive_mobilenetv2_voc": {"model.losses.1.type": "ExclusiveMaps"},
    "excam_acol_mobilenetv2_voc": {
        "model.modifiers.0.type": "EraseFound", "model.cam_method.type": "AverageWithFirst",
    },
    "csoa_vgg16_cub": {
        "model.losses.1.type": "ConfSeg", "model.losses.2.type": "CoAug", "model.cam_method.type": "BranchUnion",
        "model.box_extractor.threshold": 0.3,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_a_configuration_has_the_parts_of_its_method(name):
    config = load_config(name)
    for path, wanted in PARTS[name].items():
        found = config
        for key in path.split("."):
            found = found[int(key) if key.isdigit() else key]
        assert found == wanted, path


@pytest.mark.parametrize("data", ["voc07", "voc12"])
def test_excam_has_the_numbers_of_the_dissertation(data):
    config = load_config(f"excam_resnet101_{data}")
    assert config.model.head.maps_per_class == 8
    assert {key: config.model.head.pooling[key] for key in ("kmax", "kmin", "alpha")} == {
        "kmax": 0.2, "kmin": 0.2, "alpha": 0.6,
    }  # fmt: skip
    assert config.train_dataloader.dataset.pipeline[0]["size"] == (224, 224)
    assert config.train_dataloader.dataset.split == ("trainval" if data == "voc07" else "train")
    assert config.data_root.endswith("VOC2007" if data == "voc07" else "VOC2012")
