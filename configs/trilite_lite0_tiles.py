"""TriLite's head on a frozen stage of EfficientNet-Lite0, for photographs of surfaces of which some show a defect.

    wsolkit train trilite_lite0_tiles --cfg-options data_root=...

"Nothing" scores 0 beside the classes, and the background of a photograph that shows nothing costs nothing.
"""

_base_ = "./cam_lite0_tiles.py"

feature_cache = dict(most_gb=4.0)

model = dict(
    backbone=dict(levels=["blocks.4"]),
    head=dict(
        _delete_=True, type="TriLiteHead", levels=["blocks.4"], kernel=1, standardize=True, background_teaches="maps",
        maps="class",
    ),
    losses=[dict(type="CrossEntropyOrNothing"), dict(type="WithoutTheClass", score="nothing", weight=0.3)],
    freeze=["model"],
)  # fmt: skip
optim_wrapper = dict(optimizer=dict(_delete_=True, type="AdamW", lr=0.01, weight_decay=0.01))
train_cfg = dict(max_epochs=60, val_interval=60)
