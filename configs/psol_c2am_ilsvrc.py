"""PSOL with C2AM on ILSVRC: maps of C2AM, pseudo boxes, DenseNet-161 as regressor, EfficientNet-B7 as classifier.

    wsolkit pipeline psol_c2am_ilsvrc --work-dir work/psol_c2am_ilsvrc

The data is in the folder ILSVRC of the environment variable WSOLKIT_DATA, in the wsolevaluation layout. The threshold
of the maps is chosen on train-fullsup (val); the class is the average of ten crops of 600 pixels.
"""

maps = dict(config="{maps_model}/config.py", checkpoint="{maps_model}/best.pth")
val = dict(threshold="val", val_maps="{maps_val}", config="{maps_model}/config.py")

stages = [
    dict(name="maps_model", type="Train", config="c2am_resnet50_ilsvrc", options={"train_dataloader.batch_size": 256}),
    dict(name="maps_train", type="Maps", split="train", **maps),
    dict(name="maps_val", type="Maps", split="val", **maps),
    dict(name="maps_test", type="Maps", split="test", **maps),
    dict(name="boxes", type="PseudoBoxes", split="train", maps="{maps_train}", **val),
    dict(name="boxes_test", type="PseudoBoxes", split="test", maps="{maps_test}", score=True, **val),
    dict(
        name="regressor",
        type="Train",
        config="psol_densenet161_ilsvrc",
        options={"train_dataloader.dataset.annotations": "{boxes}/boxes.json"},
    ),
    dict(name="classifier", type="Train", config="psol_classifier_efficientnetb7_ilsvrc"),
    dict(
        name="combined",
        type="CombineBoxes",
        classifier="{classifier}/config.py",
        classifier_checkpoint="{classifier}/best.pth",
        regressor="{regressor}/config.py",
        regressor_checkpoint="{regressor}/best.pth",
        pseudo_boxes="{boxes_test}/boxes.json",
        ten_crop=dict(resize=685, crop=600),
        batch_size=2,
    ),
]
