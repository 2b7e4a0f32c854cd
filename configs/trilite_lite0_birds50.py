"""TriLite's head on two frozen stages of EfficientNet-Lite0, for birds50.

    wsolkit train trilite_lite0_birds50 --cfg-options data_root=...

There is no class token: the features of the object classify. See the method's card.
"""

_base_ = "./cam_lite0_birds50.py"

feature_cache = dict(most_gb=4.0)

model = dict(
    backbone=dict(levels=["blocks.4", "blocks.6"]),
    head=dict(
        _delete_=True, type="TriLiteHead", levels=["blocks.6", "blocks.4"], standardize=True, background_teaches="maps"
    ),
    losses=[dict(type="CrossEntropy"), dict(type="WithoutTheClass", weight=100.0)],
    freeze=["model"],
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type="AdamW", lr=3e-3, weight_decay=0.01))
