"""DANet (Xue et al. 2019) with ResNet-50 on ILSVRC, on the schedule of CAM there; the paper has InceptionV3.

    torchrun --nproc-per-node 8 -m wsolkit train danet_resnet50_ilsvrc --launcher pytorch --cfg-options data_root=...

``class_groups.csv`` below data_root has a line for each class: its name in the data, then its groups in WordNet from
coarse to fine.
"""

_base_ = ["cam_resnet50_ilsvrc.py"]

model = dict(
    head=dict(_delete_=True, type="DivergentHead", maps_per_class=8, hidden=(1024, 1024)),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="GroupCrossEntropy"),
        dict(type="DiscrepantMaps", weight=0.01),
    ],
    cam_method=dict(type="FusedMaps"),
)
train_dataloader = dict(dataset=dict(class_groups="class_groups.csv"))
