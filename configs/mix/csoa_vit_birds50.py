"""CSoA on a vision transformer: two branches on the patch tokens of DeiT-tiny, 14 x 14 cells each.

    wsolkit train csoa_vit_birds50 --cfg-options data_root=... weights=... model.losses.2.embedding.weights=...

``weights`` is a file with weights of DeiT-tiny; the embedding is MobileNetV2, as in csoa_mobilenetv2_birds50.
"""

_base_ = ["../csoa_mobilenetv2_birds50.py"]

weights = None

model = dict(
    backbone=dict(_delete_=True, type="TimmBackbone", name="deit_tiny_patch16_224", levels=["blocks.8", "final"]),
    head=dict(levels=["blocks.8", "final"]),
    freeze=[],
)
train_cfg = dict(max_epochs=4)
