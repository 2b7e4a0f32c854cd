"""Pseudo masks on scenes that are drawn on the fly: every stage from class-agnostic maps to mean IoU, without data.

wsolkit pipeline wsss_synthetic --work-dir work/wsss_synthetic
"""

crf = True

c2am = dict(config="{c2am}/config.py", checkpoint="{c2am}/last.pth")
cam = dict(config="{cam}/config.py", checkpoint="{cam}/last.pth")
network = dict(config="{network}/config.py", checkpoint="{network}/last.pth", data="{cam}/config.py")
masks = dict(
    type="PseudoMasks",
    config="{cam}/config.py",
    split="test",
    cams="{cams_test}",
    tune_on="val",
    tune_cams="{cams_val}",
)
scores = dict(type="ScoreMasks", config="{cam}/config.py", split="test")

stages = [
    dict(name="c2am", type="Train", config="wsss_foreground_synthetic"),
    dict(name="cam", type="Train", config="cam_synthetic"),
    dict(name="foreground_train", type="Maps", split="train", **c2am),
    dict(
        name="cues", type="BackgroundCues", config="{c2am}/config.py", split="train", maps="{foreground_train}", crf=crf
    ),
    dict(
        name="network",
        type="Train",
        config="wsss_saliency_synthetic",
        options={"train_dataloader.dataset.cues": "{cues}"},
    ),
    dict(name="saliency_val", type="SaliencyMaps", split="val", **network),
    dict(name="saliency_test", type="SaliencyMaps", split="test", **network),
    dict(name="cams_val", type="Maps", split="val", **cam),
    dict(name="cams_test", type="Maps", split="test", **cam),
    dict(name="seed", background="constant", **masks),
    dict(
        name="pseudo",
        background="saliency",
        saliency="{saliency_test}",
        tune_saliency="{saliency_val}",
        seed="{seed}",
        **masks,
    ),
    dict(name="seed_scores", masks="{seed}", level="seed", **scores),
    dict(name="pseudo_scores", masks="{pseudo}", level="pseudo label", **scores),
]
