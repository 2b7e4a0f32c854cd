"""TriLite on a frozen DINOv2 ViT-S/14, for ILSVRC in the wsolevaluation layout.

torchrun --nproc-per-node 4 -m wsolkit train trilite_vits14_ilsvrc --launcher pytorch --cfg-options data_root=...
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="vit_small_patch14_dinov2.lvd142m", levels=["blocks.11", "blocks.11.cls"]),
    head=dict(type="TriLiteHead", levels=["blocks.11"], token="blocks.11.cls"),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="CrossEntropy", logits="object_logits", name="object"),
        dict(type="WithoutTheClass", weight=500.0),
    ],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    freeze=["model"],
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type="AdamW", lr=1e-3, weight_decay=0.01))
train_cfg = dict(max_epochs=5)
