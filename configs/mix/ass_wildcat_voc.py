"""ASS inside WILDCAT: MobileNetV2 on PASCAL VOC 2012, trained as WILDCAT is.

    wsolkit train ass_wildcat_voc --cfg-options data_root=... weights=...

At the places of ass_mobilenetv2_birds50. With the ImageNet weights, on 48 photographs of VOC, .52 of the images are
clutter behind blocks.2 (.44 passed, .04 hidden), .12 behind blocks.4.0.bn1 (.04, .83) and none behind bn2 (.02, .98).
"""

_base_ = ["../_base_/voc2012.py", "../_base_/sgd_cosine.py"]

weights = "{{$WSOLKIT_WEIGHTS:none}}"

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    backbone=dict(type="TimmBackbone", name="mobilenetv2_100", pad_type="same", levels=["final"], output_stride=16),
    head=dict(type="ConvHead", maps_per_class=8, pooling=dict(type="WildcatPooling", kmax=0.2, kmin=0.2, alpha=0.7)),
    modifiers=[
        *(dict(type="AttentionSelection", at=place) for place in ("blocks.2", "blocks.4.0.bn1", "bn2")),
        dict(type="ScaleGradient", at="maps"),
    ],
    losses=[dict(type="BinaryCrossEntropy")],
    cam_method=dict(type="HeadMaps"),
    box_extractor=dict(type="AllComponents", threshold=0.3, min_area=0.01),
    # The first stages hold half of the arithmetic and change least; set freeze=[] to train them as well.
    freeze=["conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2"],
)
optim_wrapper = dict(optimizer=dict(lr=0.1), paramwise_cfg=dict(lr_mult=dict(backbone=0.1, head=1.0)))
train_cfg = dict(max_epochs=6)
