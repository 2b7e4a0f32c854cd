"""The batch-size study of C2AM's appendix on PASCAL VOC 2012: pseudo masks of C2AM trained with batches of 32 to 256.

    wsolkit pipeline wsss_batch_sizes --work-dir work/sizes --cfg-options weights=moco_v2_800ep_pretrain.pth.tar
    wsolkit pipeline wsss_batch_sizes --work-dir work/sizes --cfg-options weights=... "sizes=[32, 64]"

All else is wsss_voc: alpha .25, chosen for 128 (other batches give a warning), and one set of CAMs for all sizes. Mean
IoU of each size is in the stage pseudo_scores_SIZE, that of the CAMs alone in seed_scores. A batch is in one process
whole. The checkpoint is a local file as its authors publish it.
"""

sizes = [32, 64, 128, 256]
weights = "moco_v2_800ep_pretrain.pth.tar"
train_list = "train"
image_set = "Segmentation"
workers = 8

lists = {
    "train_dataloader.dataset.split": train_list,
    "train_dataloader.dataset.image_set": image_set,
    "val_dataloader.dataset.image_set": image_set,
}
cam = dict(config="{cam}/config.py", checkpoint="{cam}/last.pth", num_workers=workers)
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
saliency = dict(type="SaliencyMaps", data="{cam}/config.py", workers=workers)

stages = [
    dict(name="cam", type="Train", config="wsss_cam_resnet50_voc", options=lists),
    dict(name="cams_train", type="Maps", split="train", **cam),
    dict(name="cams_val", type="Maps", split="val", **cam),
    dict(name="seed", background="constant", **masks),
    dict(name="seed_scores", masks="{seed}", level="seed", **scores),
    *(
        stage
        for size in sizes
        for stage in (
            dict(
                name=f"c2am_{size}",
                type="Train",
                config="c2am_resnet50_voc_moco",
                options={**lists, "train_dataloader.batch_size": size, "weights": weights},
            ),
            dict(
                name=f"foreground_{size}",
                type="Maps",
                config=f"{{c2am_{size}}}/config.py",
                checkpoint=f"{{c2am_{size}}}/last.pth",
                split="train",
                num_workers=workers,
            ),
            dict(
                name=f"cues_{size}",
                type="BackgroundCues",
                config=f"{{c2am_{size}}}/config.py",
                split="train",
                maps=f"{{foreground_{size}}}",
                threshold=0.3,
                workers=workers,
            ),
            dict(
                name=f"network_{size}",
                type="Train",
                config="wsss_saliency_resnet50_voc",
                options={
                    "train_dataloader.dataset.cues": f"{{cues_{size}}}",
                    "train_dataloader.dataset.dataset.split": train_list,
                    "train_dataloader.dataset.dataset.image_set": image_set,
                },
            ),
            *(
                dict(
                    name=f"saliency_{split}_{size}",
                    config=f"{{network_{size}}}/config.py",
                    checkpoint=f"{{network_{size}}}/last.pth",
                    split=split,
                    **saliency,
                )
                for split in ("train", "val")
            ),
            dict(
                name=f"pseudo_{size}",
                background="saliency",
                saliency=f"{{saliency_train_{size}}}",
                tune_saliency=f"{{saliency_val_{size}}}",
                seed="{seed}",
                cues=f"{{cues_{size}}}",
                **masks,
            ),
            dict(name=f"pseudo_scores_{size}", masks=f"{{pseudo_{size}}}", level="pseudo label", **scores),
        )
    ),
]
