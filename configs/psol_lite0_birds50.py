"""PSOL (Zhang et al. 2020) on the maps of C2AM, with EfficientNet-Lite0 on birds50, from the installed weights.

    wsolkit pipeline psol_lite0_birds50

The data is where data_root says, or the environment variable WSOLKIT_DATA. The threshold of the maps is chosen on the
boxes of val; no training box is read. The classifier is cam_lite0_birds50.
"""

data_root = "{{$WSOLKIT_DATA:data}}/birds50"
work_dir = "work_dirs/psol_lite0_birds50"

data = {"data_root": data_root}
maps_model = dict(config="{maps_model}/config.py", checkpoint="{maps_model}/last.pth")
of_val = dict(threshold="val", val_maps="{maps_val}", config="{maps_model}/config.py")

stages = [
    dict(name="maps_model", type="Train", config="c2am_lite0_birds50", options=data),
    dict(name="maps_train", type="Maps", split="train", **maps_model),
    dict(name="maps_val", type="Maps", split="val", **maps_model),
    dict(name="maps_test", type="Maps", split="test", **maps_model),
    dict(name="boxes", type="PseudoBoxes", split="train", maps="{maps_train}", **of_val),
    dict(name="boxes_test", type="PseudoBoxes", split="test", maps="{maps_test}", score=True, **of_val),
    dict(
        name="regressor",
        type="Train",
        config="psol_regressor_lite0_birds50",
        options={**data, "train_dataloader.dataset.annotations": "{boxes}/boxes.json"},
    ),
    dict(
        name="classifier",
        type="Train",
        config="cam_lite0_birds50",
        options={**data, "feature_cache": dict(level="blocks.5", evaluate=True), "train_cfg.max_epochs": 3},
    ),
    dict(
        name="combined",
        type="CombineBoxes",
        classifier="{classifier}/config.py",
        classifier_checkpoint="{classifier}/last.pth",
        regressor="{regressor}/config.py",
        regressor_checkpoint="{regressor}/best.pth",
        pseudo_boxes="{boxes_test}/boxes.json",
    ),
]
