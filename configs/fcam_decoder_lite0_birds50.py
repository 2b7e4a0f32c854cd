"""The decoder of F-CAM (Belharbi et al. 2022) with EfficientNet-Lite0 on birds50, on the schedule of CAM there.

    wsolkit train fcam_decoder_lite0_birds50 --cfg-options data_root=... train_dataloader.dataset.pseudo_maps=MAPS

MAPS is a folder of score maps of the training images; ``wsolkit pipeline fcam_lite0_birds50`` makes them.
"""

_base_ = ["cam_lite0_birds50.py"]

model = dict(
    backbone=dict(levels=["blocks.1", "blocks.2", "blocks.4", "final"]),
    head=dict(_delete_=True, type="PixelDecoder"),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="PixelSeeds"),
        dict(type="ColourAffinity"),
        dict(type="BothPresent", weight=0.1),
    ],
)
