"""C2AM's head on a vision transformer: the map is made of the patch tokens of DeiT-tiny, 14 x 14 cells.

    wsolkit train c2am_vit_birds50 --cfg-options data_root=... weights=...

``weights`` is a file with weights of DeiT-tiny; without them training starts from scratch.
"""

_base_ = ["../_base_/birds50.py", "../_base_/sgd_c2am.py"]

weights = None

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="deit_tiny_patch16_224", levels=["final"]),
    head=dict(type="C2AMHead"),
    losses=[dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
)
train_dataloader = dict(batch_size=16, drop_last=True)
optim_wrapper = dict(optimizer=dict(lr=1e-3), paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
train_cfg = dict(max_epochs=4)
