"""CSoA with CoAug alone, a row of the paper's ablation, with MobileNetV2 on birds50.

    wsolkit train csoa_coaug_mobilenetv2_birds50 --cfg-options data_root=... weights=... \
        model.losses.1.embedding.weights=...

As csoa_mobilenetv2_birds50, with the same batches, without the early branch. With model.losses.1.weight=0 this is the
baseline of the ablation: one classifier of the same layers.
"""

_base_ = ["csoa_mobilenetv2_birds50.py"]

model = dict(
    backbone=dict(levels=["final"]),
    head=dict(levels=["final"], early=False),
    losses=[
        dict(type="CrossEntropy"),
        dict(
            type="CoAug",
            weight=0.1,
            embedding=dict(
                type="TimmBackbone",
                name="mobilenetv2_100",
                pad_type="same",
                levels=["final"],
                weights="{{$WSOLKIT_WEIGHTS:none}}",
            ),
            embedding_size=112,
            pool="average",
        ),
    ],
    cam_method=dict(type="HeadMaps"),
)
