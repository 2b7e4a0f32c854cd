"""ADH with MobileNetV2 on birds50, from ImageNet weights, on the schedule of CAM there.

    wsolkit train adh_mobilenetv2_birds50 --cfg-options data_root=... weights=...

At the places of ass_mobilenetv2_birds50, whose shares of clutter, passed and hidden images are the same. With
temperature 1 the attention map's softmax is nearly uniform and its expected pixel the centre of the image. Its mean
distance from the centre, in parts of that to a corner, on 48 photographs with the ImageNet weights:

    place            attention map: T 1   T .1   strongest cell   channel: T 1   T .1   strongest cell
    blocks.2                        .05   .38    .45                       .47   .48    .50
    blocks.4.0.bn1                  .02   .17    .47                       .21   .48    .49
    bn2                             .04   .20    .28                       .15   .40    .54
"""

_base_ = ["_base_/birds50.py", "_base_/sgd_cosine.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"
hide = dict(type="AreaHiding", threshold=0.8, temperature=0.1)

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="mobilenetv2_100", pad_type="same", levels=["final"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    modifiers=[dict(type="AttentionSelection", at=place, hide=hide) for place in ("blocks.2", "blocks.4.0.bn1", "bn2")],
    losses=[dict(type="CrossEntropy")],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="LargestComponent", threshold=0.2),
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(lr_mult=dict(backbone=0.2, head=1.0)))
train_cfg = dict(max_epochs=6)
