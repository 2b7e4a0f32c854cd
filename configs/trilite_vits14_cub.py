"""TriLite (Sabaghi and Oramas 2026) on a frozen DINOv2 ViT-S/14, for CUB-200-2011.

    wsolkit train trilite_vits14_cub --cfg-options data_root=...

``weights="timm"`` downloads the weights through timm; set a local file with weights=PATH. What the network makes of the
images is computed once, so they are squashed to 224 pixels and mirrored, without crops.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

weights = "timm"
feature_cache = dict(most_gb=16.0)
squashed = [dict(type="Resize", size=(224, 224), antialias=True)]

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="vit_small_patch14_dinov2.lvd142m", levels=["blocks.11", "blocks.11.cls"]),
    head=dict(type="TriLiteHead", levels=["blocks.11"], token="blocks.11.cls"),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="CrossEntropy", logits="object_logits", name="object"),
        dict(type="WithoutTheClass", weight=100.0),
    ],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    freeze=["model"],
)
train_dataloader = dict(dataset=dict(pipeline=[*squashed, dict(type="RandomHorizontalFlip")]))
optim_wrapper = dict(optimizer=dict(_delete_=True, type="AdamW", lr=1e-3, weight_decay=0.01))
train_cfg = dict(max_epochs=20)
