"""PSOL on DDT's boxes: nothing is trained for the boxes, a regressor learns from them.

    wsolkit pipeline psol_ddt --cfg-options data=cub
    wsolkit pipeline psol_ddt --cfg-options data=birds50

The data is in the folder CUB_200_2011 (cub) or birds50 of the environment variable WSOLKIT_DATA. DDT takes features of
images of 448 x 448: of VGG16 on cub; of MobileNetV2 on birds50, where WSOLKIT_WEIGHTS is the file of the ImageNet
weights. No box of any split decides about the pseudo boxes; the regressor's best epoch is chosen on the boxes of val
(on cub, images held out of train).
"""

data = "cub"  # cub or birds50

work_dir = f"work_dirs/psol_ddt_{data}"

if data not in ("cub", "birds50"):
    raise ValueError(f"data should be cub or birds50, but got {data!r}")
if data == "birds50":
    features = "cam_mobilenetv2_birds50"
    larger = [dict(type="Resize", size=(448, 448), antialias=True)]
    images = dict(options={"test_dataloader.dataset.pipeline": larger})
    regressor = "psol_regressor_mobilenetv2_birds50"
    classifier = "cam_mobilenetv2_birds50"
    views = {}
else:
    features = "psol_ddt_features_vgg16_cub"
    images = {}
    regressor = "psol_resnet50_cub"
    classifier = "psol_classifier_efficientnetb7_cub"
    views = dict(ten_crop=dict(resize=685, crop=600), batch_size=2)

stages = [
    dict(name="maps_train", type="DDTMaps", config=features, split="train", **images),
    dict(name="boxes", type="PseudoBoxes", config=features, split="train", maps="{maps_train}", threshold=0.0),
    dict(
        name="regressor",
        type="Train",
        config=regressor,
        options={"train_dataloader.dataset.annotations": "{boxes}/boxes.json"},
    ),
    dict(name="classifier", type="Train", config=classifier),
    dict(
        name="combined",
        type="CombineBoxes",
        classifier="{classifier}/config.py",
        classifier_checkpoint="{classifier}/best.pth",
        regressor="{regressor}/config.py",
        regressor_checkpoint="{regressor}/best.pth",
        **views,
    ),
]
