"""CSoA with CoAug alone, a row of the paper's ablation, with MobileNetV2 on birds50.

    wsolkit train csoa_coaug_mobilenetv2_birds50 --cfg-options data_root=... weights=... \
        model.losses.1.embedding.weights=...

As csoa_mobilenetv2_birds50, with the same batches, without the early branch.
"""

_base_ = ["csoa_mobilenetv2_birds50.py"]

model = dict(
    backbone=dict(levels=["final"]),
    head=dict(levels=["final"], early=False),
    losses=[dict(type="CrossEntropy"), _base_.coaug],
    cam_method=dict(type="HeadMaps"),
)
