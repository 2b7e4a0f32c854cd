"""DANet (Xue et al. 2019) with InceptionV3 cut after Mixed_6e on CUB-200-2011, from ImageNet weights.

    wsolkit train danet_inceptionv3_cub --cfg-options data_root=... weights=inception_v3.pth \
        train_dataloader.dataset.class_groups=groups.csv

The table of groups as for danet_vgg16_cub.
"""

_base_ = ["cam_inceptionv3_cub.py"]

model = dict(
    head=dict(_delete_=True, type="DivergentHead", maps_per_class=8, hidden=(1024, 1024)),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="GroupCrossEntropy"),
        dict(type="DiscrepantMaps", weight=0.01),
    ],
    cam_method=dict(type="FusedMaps"),
)
