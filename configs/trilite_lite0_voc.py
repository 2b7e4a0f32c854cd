"""TriLite's head on two frozen stages of EfficientNet-Lite0, for images of several classes (PASCAL VOC 2012).

    wsolkit train trilite_lite0_voc --cfg-options data_root=...

What differs from the paper for several classes stands in the method's card.
"""

_base_ = "./cam_lite0_voc.py"

feature_cache = dict(most_gb=4.0)

model = dict(
    backbone=dict(levels=["blocks.4", "blocks.6"]),
    head=dict(
        _delete_=True, type="TriLiteHead", levels=["blocks.6", "blocks.4"], standardize=True, background_teaches="maps",
        maps="class",
    ),
    losses=[dict(type="BinaryCrossEntropy"), dict(type="WithoutTheClass", score="sigmoid", weight=1.0)],
    freeze=["model"],
)  # fmt: skip
optim_wrapper = dict(optimizer=dict(_delete_=True, type="AdamW", lr=3e-3, weight_decay=0.01))
