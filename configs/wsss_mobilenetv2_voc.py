"""Pseudo masks on PASCAL VOC 2012 with MobileNetV2: CAMs corrected by background cues, hours on two cores.

    wsolkit pipeline wsss_mobilenetv2_voc --work-dir work/wsss
    wsolkit pipeline wsss_mobilenetv2_voc --work-dir work/ccnn --cfg-options maps=ccnn

Data and weights: the environment variables WSOLKIT_DATA and WSOLKIT_WEIGHTS. The background score of seed and pseudo
masks is tuned on val; test is scored once. The three stages that end in _scores have the mean IoU of the CAM alone
(seed), of CAM and background cues without the saliency network (direct), and of CAM and saliency (pseudo).
"""

maps = "c2am"  # c2am or ccnn
workers = 2
threshold = 0.3
crf = True
classes = ["cat", "cow", "dog", "horse", "person", "sheep"]  # those with enough images in a small VOC

if maps not in ("c2am", "ccnn"):
    raise ValueError(f"maps should be c2am or ccnn, but got {maps!r}")

# The maps of C2AM are nowhere near 0 here, most of an image is above .3 of their maximum: minmax stretches them. The
# numbers in the card were measured so; C2AMLogitMaps with normalize="max", as in c2am_resnet50_voc, cuts better.
scales = dict(_delete_=True, type="MultiScaleMaps", scales=[0.5, 1.0, 1.5, 2.0], flip=True, normalize="minmax")
trained = "{" + maps + "}"
foreground = dict(
    config=f"{trained}/config.py",
    checkpoint=f"{trained}/last.pth",
    options={"model.cam_method": scales},
    num_workers=workers,
)
cam = dict(config="{cam}/config.py", checkpoint="{cam}/last.pth", num_workers=workers)
network = dict(config="{network}/config.py", checkpoint="{network}/last.pth", data="{cam}/config.py", workers=workers)
cues = dict(type="BackgroundCues", config=foreground["config"], threshold=threshold, crf=crf, workers=workers)
masks = dict(
    type="PseudoMasks",
    config="{cam}/config.py",
    split="test",
    cams="{cams_test}",
    tune_on="val",
    tune_cams="{cams_val}",
    workers=workers,
)
scores = dict(type="ScoreMasks", config="{cam}/config.py", split="test", classes=classes)

stages = [
    dict(name=maps, type="Train", config=f"{maps}_mobilenetv2_voc"),
    dict(name="cam", type="Train", config="cam_mobilenetv2_voc"),
    dict(name="foreground_train", type="Maps", split="train", **foreground),
    dict(name="foreground_val", type="Maps", split="val", **foreground),
    dict(name="foreground_test", type="Maps", split="test", **foreground),
    dict(name="cues_train", split="train", maps="{foreground_train}", **cues),
    dict(name="cues_val", split="val", maps="{foreground_val}", **cues),
    dict(name="cues_test", split="test", maps="{foreground_test}", **cues),
    dict(
        name="network",
        type="Train",
        config="wsss_saliency_mobilenetv2_voc",
        options={"train_dataloader.dataset.cues": "{cues_train}"},
    ),
    dict(name="saliency_val", type="SaliencyMaps", split="val", **network),
    dict(name="saliency_test", type="SaliencyMaps", split="test", **network),
    dict(name="cams_val", type="Maps", split="val", **cam),
    dict(name="cams_test", type="Maps", split="test", **cam),
    dict(name="seed", background="constant", **masks),
    dict(name="direct", background="cues", saliency="{cues_test}", tune_saliency="{cues_val}", seed="{seed}", **masks),
    dict(
        name="pseudo",
        background="saliency",
        saliency="{saliency_test}",
        tune_saliency="{saliency_val}",
        seed="{seed}",
        cues="{cues_test}",
        **masks,
    ),
    dict(name="seed_scores", masks="{seed}", level="seed", **scores),
    dict(name="direct_scores", masks="{direct}", level="pseudo label", **scores),
    dict(name="pseudo_scores", masks="{pseudo}", level="pseudo label", **scores),
]
