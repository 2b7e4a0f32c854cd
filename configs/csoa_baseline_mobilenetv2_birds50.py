"""The baseline of CSoA's ablation, neither ConfSeg nor CoAug, with MobileNetV2 on birds50.

    wsolkit train csoa_baseline_mobilenetv2_birds50 --cfg-options data_root=... weights=...

One classifier of the same layers, learning rate and batches as csoa_mobilenetv2_birds50.
"""

_base_ = ["csoa_mobilenetv2_birds50.py"]

model = dict(
    backbone=dict(levels=["final"]),
    head=dict(levels=["final"], early=False),
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="HeadMaps"),
)
