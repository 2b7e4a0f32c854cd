"""DANet (Xue et al. 2019) with VGG16 on CUB-200-2011, from ImageNet weights.

    wsolkit train danet_vgg16_cub --cfg-options data_root=... weights=vgg16.pth \
        train_dataloader.dataset.class_groups=groups.csv

groups.csv below data_root has a line for each class: its name in the data, its order, its family (11 and 37 of them in
the paper). Without it the groups are the last words of the names, one level.
"""

_base_ = ["cam_vgg16_cub.py"]

model = dict(
    backbone=dict(_delete_=True, type="VGG16GAP", extra_channels=0),
    head=dict(_delete_=True, type="DivergentHead", maps_per_class=8, hidden=(1024, 1024)),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="GroupCrossEntropy"),
        dict(type="DiscrepantMaps", weight=0.01),
    ],
    cam_method=dict(type="FusedMaps"),
)
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(_delete_=True, backbone=1.0, head=10.0)))
