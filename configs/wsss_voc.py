"""Pseudo masks on PASCAL VOC 2012 with ResNet-50 and the papers' numbers, on one large GPU.

    wsolkit pipeline wsss_voc --work-dir work/wsss
    wsolkit pipeline wsss_voc --work-dir work/ccnn --cfg-options maps=ccnn weights=moco_v2_800ep_pretrain.pth.tar

C2AM (or CCNN) with batches of 128, cues with the CRF on labels, PoolNet for 9 epochs, CAMs of a ResNet-50. ``weights``
are those the class-agnostic maps start from: timm's of ImageNet, or a local file such as MoCo v2's. The papers train on
train_aug (10,582 images): --cfg-options train_list=train_aug where that list lies in ImageSets/Segmentation. Their
evaluation sweeps the background score on the masks that are scored; here it is tuned on val, and the masks of the train
list are scored.
"""

maps = "c2am"  # c2am or ccnn
weights = "timm"  # of the network of these maps
train_list = "train"
image_set = "Segmentation"
workers = 8

if maps not in ("c2am", "ccnn"):
    raise ValueError(f"maps should be c2am or ccnn, but got {maps!r}")

lists = {
    "train_dataloader.dataset.split": train_list,
    "train_dataloader.dataset.image_set": image_set,
    "val_dataloader.dataset.image_set": image_set,
}
trained = "{" + maps + "}"
foreground = dict(config=f"{trained}/config.py", checkpoint=f"{trained}/last.pth", num_workers=workers)
cam = dict(config="{cam}/config.py", checkpoint="{cam}/last.pth", num_workers=workers)
network = dict(config="{network}/config.py", checkpoint="{network}/last.pth", data="{cam}/config.py", workers=workers)
masks = dict(
    type="PseudoMasks",
    config="{cam}/config.py",
    split="train",
    cams="{cams_train}",
    tune_on="val",
    tune_cams="{cams_val}",
    workers=workers,
)
scores = dict(type="ScoreMasks", config="{cam}/config.py", split="train")

stages = [
    dict(
        name=maps,
        type="Train",
        config=f"{maps}_resnet50_voc",
        options={**lists, "train_dataloader.batch_size": 128, "weights": weights},
    ),
    dict(name="cam", type="Train", config="wsss_cam_resnet50_voc", options=lists),
    dict(name="foreground_train", type="Maps", split="train", **foreground),
    dict(
        name="cues_train",
        type="BackgroundCues",
        config=foreground["config"],
        split="train",
        maps="{foreground_train}",
        threshold=0.3,
        workers=workers,
    ),
    dict(
        name="network",
        type="Train",
        config="wsss_saliency_resnet50_voc",
        options={
            "train_dataloader.dataset.cues": "{cues_train}",
            "train_dataloader.dataset.dataset.split": train_list,
            "train_dataloader.dataset.dataset.image_set": image_set,
        },
    ),
    dict(name="saliency_train", type="SaliencyMaps", split="train", **network),
    dict(name="saliency_val", type="SaliencyMaps", split="val", **network),
    dict(name="cams_train", type="Maps", split="train", **cam),
    dict(name="cams_val", type="Maps", split="val", **cam),
    dict(name="seed", background="constant", **masks),
    dict(
        name="pseudo",
        background="saliency",
        saliency="{saliency_train}",
        tune_saliency="{saliency_val}",
        seed="{seed}",
        cues="{cues_train}",
        **masks,
    ),
    dict(name="seed_scores", masks="{seed}", level="seed", **scores),
    dict(name="pseudo_scores", masks="{pseudo}", level="pseudo label", **scores),
]
