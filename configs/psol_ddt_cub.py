"""PSOL on DDT's boxes of CUB-200-2011: nothing is trained for the boxes, the regressor learns from them.

    wsolkit pipeline psol_ddt_cub --work-dir work/psol_ddt_cub

The data is in the folder CUB_200_2011 of the environment variable WSOLKIT_DATA. No box of any split decides about the
pseudo boxes; the regressor's best epoch is chosen on images that are held out of train.
"""

stages = [
    dict(
        name="maps_train",
        type="DDTMaps",
        config="psol_ddt_features_vgg16_cub",
        split="train",
    ),
    dict(
        name="boxes",
        type="PseudoBoxes",
        config="psol_ddt_features_vgg16_cub",
        split="train",
        maps="{maps_train}",
        threshold=0.0,
    ),
    dict(
        name="regressor",
        type="Train",
        config="psol_resnet50_cub",
        options={"train_dataloader.dataset.annotations": "{boxes}/boxes.json"},
    ),
    dict(name="classifier", type="Train", config="psol_classifier_efficientnetb7_cub"),
    dict(
        name="combined",
        type="CombineBoxes",
        classifier="{classifier}/config.py",
        classifier_checkpoint="{classifier}/best.pth",
        regressor="{regressor}/config.py",
        regressor_checkpoint="{regressor}/best.pth",
        ten_crop=dict(resize=685, crop=600),
        batch_size=2,
    ),
]
