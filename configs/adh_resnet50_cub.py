"""ADH (Zhang's thesis, chapter 4) with ResNet-50 on CUB-200-2011, from ImageNet weights.

    wsolkit train adh_resnet50_cub --cfg-options data_root=...

Learning rate 1e-3 for all parts, batches of 32 and the threshold .9 of the peak as the thesis; it is the peak of the
rule as well. The thesis does not tell the places in a ResNet. These have the maps of its places in VGG16: for images of
224 pixels 28 x 28 cells and 512 channels behind layer2, 14 x 14 cells behind layer3 (1024) and layer4 (2048 channels).
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

weights = "timm"
hide = dict(type="AreaHiding", threshold=0.9)

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet50.tv_in1k", levels=["layer4"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    modifiers=[
        dict(type="AttentionSelection", at=place, rule=dict(alpha_fg=0.9), hide=hide)
        for place in ("layer2", "layer3", "layer4")
    ],
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_epochs=50)
