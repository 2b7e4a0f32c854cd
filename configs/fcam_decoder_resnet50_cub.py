"""The decoder of F-CAM (Belharbi et al. 2022) with ResNet-50 on CUB-200-2011, on the schedule of CAM there.

    wsolkit train fcam_decoder_resnet50_cub --cfg-options data_root=... train_dataloader.dataset.pseudo_maps=MAPS

MAPS is a folder of score maps of the training images; ``wsolkit pipeline fcam_resnet50_cub`` makes them.
"""

_base_ = ["cam_resnet50_cub.py"]

model = dict(
    backbone=dict(levels=["layer1", "layer2", "layer3", "layer4"]),
    head=dict(_delete_=True, type="PixelDecoder"),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="PixelSeeds"),
        dict(type="ColourAffinity"),
        dict(type="BothPresent", weight=0.1),
    ],
)
