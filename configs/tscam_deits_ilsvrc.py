"""TS-CAM with DeiT-S on ILSVRC in the wsolevaluation layout, from ImageNet weights.

torchrun --nproc-per-node 4 -m wsolkit train tscam_deits_ilsvrc --launcher pytorch --cfg-options data_root=...
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(
        type="TimmBackbone",
        name="deit_small_patch16_224.fb_in1k",
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
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=5e-5, betas=(0.9, 0.99), weight_decay=5e-4, fused=True)
)
train_cfg = dict(max_epochs=12)
