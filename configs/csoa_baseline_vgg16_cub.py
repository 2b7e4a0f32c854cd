"""The baseline of CSoA's ablation (VGGnet-base of table 1), neither ConfSeg nor CoAug, with VGG16 on CUB-200-2011.

    wsolkit train csoa_baseline_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

One classifier of the same layers after block 5; schedule and batches as csoa_vgg16_cub.
"""

_base_ = ["csoa_vgg16_cub.py"]

model = dict(
    head=dict(levels=["block5"], early=False),
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="HeadMaps"),
)
