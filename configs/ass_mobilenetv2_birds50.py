"""ASS with MobileNetV2 on birds50, from ImageNet weights, on the schedule of CAM there.

    wsolkit train ass_mobilenetv2_birds50 --cfg-options data_root=... weights=...

The places correspond to VGG16's: one of 28 x 28 cells and two of 14 x 14. They were chosen by where the attention map
of the ImageNet weights is high on 64 photographs of the validation split, whose boxes cover .35 of the image:

    place            cells   channels   its peak inside the box   clutter   pass   hide
    blocks.2         28      32         .69                       .45       .53    .02
    blocks.4.0.bn1   14      384        .70                       .05       .00    .95
    bn2              14      1280       .83                       .00       .06    .94

Blocks end without an activation: their features have both signs, and so has the mean over channels (of blocks.2: -2.6
to 2.6, with a positive maximum in every photograph). Behind bn1 and bn2 of a block features are rectified, but the peak
of many lies on the image's border (blocks.5.0.bn1: .03 inside the box). blocks.4.0 has no shortcut past the mask.
blocks.2 is frozen as in CAM's configuration, so its attention maps stay as they are; hiding there acts on all behind.
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_cosine.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="mobilenetv2_100", pad_type="same", levels=["final"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    modifiers=[dict(type="AttentionSelection", at=place) for place in ("blocks.2", "blocks.4.0.bn1", "bn2")],
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(lr_mult=dict(backbone=0.2, head=1.0)))
train_cfg = dict(max_epochs=6)
