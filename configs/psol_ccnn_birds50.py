"""PSOL with CCNN on birds50: maps of CCNN, pseudo boxes, box regressor, CAM's classifier, all with MobileNetV2.

    wsolkit pipeline psol_ccnn_birds50 --work-dir work/psol_ccnn_birds50

The data is in the folder birds50 of the environment variable WSOLKIT_DATA; WSOLKIT_WEIGHTS is the file of the ImageNet
weights. The threshold of the maps is chosen on the val split's boxes; no training box is read.
"""

maps = dict(config="{maps_model}/config.py", checkpoint="{maps_model}/best.pth")
val = dict(threshold="val", val_maps="{maps_val}", config="{maps_model}/config.py")

stages = [
    dict(name="maps_model", type="Train", config="ccnn_mobilenetv2_birds50"),
    dict(name="maps_train", type="Maps", split="train", **maps),
    dict(name="maps_val", type="Maps", split="val", **maps),
    dict(name="maps_test", type="Maps", split="test", **maps),
    dict(name="boxes", type="PseudoBoxes", split="train", maps="{maps_train}", **val),
    dict(name="boxes_test", type="PseudoBoxes", split="test", maps="{maps_test}", score=True, **val),
    dict(
        name="regressor",
        type="Train",
        config="psol_regressor_mobilenetv2_birds50",
        options={"train_dataloader.dataset.annotations": "{boxes}/boxes.json"},
    ),
    dict(name="classifier", type="Train", config="cam_mobilenetv2_birds50"),
    dict(
        name="combined",
        type="CombineBoxes",
        classifier="{classifier}/config.py",
        classifier_checkpoint="{classifier}/best.pth",
        regressor="{regressor}/config.py",
        regressor_checkpoint="{regressor}/best.pth",
        pseudo_boxes="{boxes_test}/boxes.json",
    ),
]
