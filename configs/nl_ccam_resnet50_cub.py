"""NL-CCAM (Yang et al. 2020) with ResNet-50 on CUB-200-2011.

wsolkit train nl_ccam_resnet50_cub --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_cub.py"

model = dict(
    modifiers=[dict(type="NonLocal", at="layer2"), dict(type="NonLocal", at="layer4")],
    cam_method=dict(type="CombinedMaps"),
    box_extractor=dict(threshold=0.12),
)
