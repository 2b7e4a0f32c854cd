"""PSOL on DDT's boxes of birds50: nothing is trained for the boxes, the regressor learns from them.

    wsolkit pipeline psol_ddt_birds50 --work-dir work/psol_ddt_birds50

The data is in the folder birds50 of the environment variable WSOLKIT_DATA; WSOLKIT_WEIGHTS is the file of the ImageNet
weights, whose features DDT takes at 448 x 448. No box decides about the pseudo boxes; the regressor's best epoch is
chosen on the val split's.
"""

stages = [
    dict(
        name="maps_train",
        type="DDTMaps",
        config="cam_mobilenetv2_birds50",
        options={"test_dataloader.dataset.pipeline": [dict(type="Resize", size=(448, 448), antialias=True)]},
        split="train",
    ),
    dict(
        name="boxes",
        type="PseudoBoxes",
        config="cam_mobilenetv2_birds50",
        split="train",
        maps="{maps_train}",
        threshold=0.0,
    ),
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
    ),
]
