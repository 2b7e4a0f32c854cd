"""ASS inside WILDCAT: MobileNetV2 on PASCAL VOC 2012, trained as WILDCAT is.

    wsolkit train ass_wildcat_voc --cfg-options data_root=... weights=...

At the places of ass_mobilenetv2_birds50. With the ImageNet weights, on 48 photographs of VOC, .52 of the images are
clutter behind blocks.2 (.44 passed, .04 hidden), .12 behind blocks.4.0.bn1 (.04, .83) and none behind bn2 (.02, .98).
"""

_base_ = ["../wildcat_mobilenetv2_voc.py"]

model = dict(
    modifiers=[
        *(dict(type="AttentionSelection", at=place) for place in ("blocks.2", "blocks.4.0.bn1", "bn2")),
        dict(type="ScaleGradient", at="maps"),
    ]
)
