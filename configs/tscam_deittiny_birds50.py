"""TS-CAM (Gao et al. 2021) with DeiT-tiny on birds50.

    wsolkit train tscam_deittiny_birds50 --cfg-options data_root=... weights=...

``weights`` is a file with weights of DeiT-tiny; without them training starts from scratch, and learns little in so few
epochs.
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_cosine.py"]

weights = None

model = dict(
    type="Localizer",
    backbone=dict(
        type="TimmBackbone",
        name="deit_tiny_patch16_224",
        levels=[
            "blocks.0.attention", "blocks.1.attention", "blocks.2.attention", "blocks.3.attention",
            "blocks.4.attention", "blocks.5.attention", "blocks.6.attention", "blocks.7.attention",
            "blocks.8.attention", "blocks.9.attention", "blocks.10.attention", "blocks.11.attention", "final",
        ],
    ),
    head=dict(type="TSCAMHead"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.1),
)  # fmt: skip
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=1e-4, betas=(0.9, 0.99), weight_decay=5e-4, fused=True)
)
train_cfg = dict(max_epochs=6)
