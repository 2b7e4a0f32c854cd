"""PSOL on the maps of C2AM or of CCNN: pseudo boxes, a box regressor and a classifier.

    wsolkit pipeline psol_maps --cfg-options data=cub maps=c2am
    wsolkit pipeline psol_maps --cfg-options data=birds50 maps=ccnn
    wsolkit pipeline psol_maps --cfg-options data=cub maps=ccnn moco=moco_v2_800ep_pretrain.pth.tar

The data is in the folder CUB_200_2011 (cub), ILSVRC (in the wsolevaluation layout) or birds50 of the environment
variable WSOLKIT_DATA. On cub and ilsvrc DenseNet-161 is the regressor and EfficientNet-B7 the classifier, whose class
is the average of ten crops of 600 pixels. On birds50 all networks are MobileNetV2 and WSOLKIT_WEIGHTS is the file of
its ImageNet weights. The threshold of the maps is chosen on the boxes of val (on cub, images held out of train); no
training box is read.
"""

data = "cub"  # cub, ilsvrc or birds50
maps = "c2am"  # c2am or ccnn
moco = ""  # on cub and ilsvrc, a file of MoCo v2's or DetCo's weights for the network of the maps

work_dir = f"work_dirs/psol_{maps}_{data}" + ("_moco" if moco else "")

if data not in ("cub", "ilsvrc", "birds50"):
    raise ValueError(f"data should be cub, ilsvrc or birds50, but got {data!r}")
if moco and data == "birds50":
    raise ValueError("moco is for the ResNet-50 of cub and ilsvrc; the networks of birds50 are MobileNetV2")
if data == "birds50":
    maps_model = dict(config=f"{maps}_mobilenetv2_birds50")
    regressor = "psol_regressor_mobilenetv2_birds50"
    classifier = "cam_mobilenetv2_birds50"
    views = {}
else:
    maps_model = dict(config=f"{maps}_resnet50_{data}")
    if moco:
        maps_model = dict(config=f"{maps}_resnet50_{data}_moco", options={"weights": moco})
    regressor = f"psol_densenet161_{data}"
    classifier = f"psol_classifier_efficientnetb7_{data}"
    views = dict(ten_crop=dict(resize=685, crop=600), batch_size=2)
if data == "ilsvrc":
    maps_model["options"] = {**maps_model.get("options", {}), "train_dataloader.batch_size": 256}  # in one process

trained = dict(config="{maps_model}/config.py", checkpoint="{maps_model}/best.pth")
val = dict(threshold="val", val_maps="{maps_val}", config="{maps_model}/config.py")

stages = [
    dict(name="maps_model", type="Train", **maps_model),
    dict(name="maps_train", type="Maps", split="train", **trained),
    dict(name="maps_val", type="Maps", split="val", **trained),
    dict(name="maps_test", type="Maps", split="test", **trained),
    dict(name="boxes", type="PseudoBoxes", split="train", maps="{maps_train}", **val),
    dict(name="boxes_test", type="PseudoBoxes", split="test", maps="{maps_test}", score=True, **val),
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
        pseudo_boxes="{boxes_test}/boxes.json",
        **views,
    ),
]
