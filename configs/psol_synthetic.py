"""PSOL on scenes that are drawn on the fly: every stage from score maps to localization numbers, without data.

wsolkit pipeline psol_synthetic --work-dir work/psol_synthetic

The maps are CAM's, of the class that an image is labelled with; the same model is the classifier.
"""

cam = dict(config="{cam}/config.py", checkpoint="{cam}/last.pth")
val = dict(threshold="val", val_maps="{maps_val}", config="{cam}/config.py")

stages = [
    dict(name="cam", type="Train", config="cam_synthetic"),
    dict(name="maps_train", type="Maps", split="train", **cam),
    dict(name="maps_val", type="Maps", split="val", **cam),
    dict(name="maps_test", type="Maps", split="test", **cam),
    dict(name="boxes", type="PseudoBoxes", split="train", maps="{maps_train}", **val),
    dict(name="boxes_test", type="PseudoBoxes", split="test", maps="{maps_test}", score=True, **val),
    dict(
        name="regressor",
        type="Train",
        config="psol_regressor_synthetic",
        options={"train_dataloader.dataset.data_root": "{boxes}"},
    ),
    dict(
        name="combined",
        type="CombineBoxes",
        classifier="{cam}/config.py",
        classifier_checkpoint="{cam}/last.pth",
        regressor="{regressor}/config.py",
        regressor_checkpoint="{regressor}/best.pth",
        pseudo_boxes="{boxes_test}/boxes.json",
    ),
]
