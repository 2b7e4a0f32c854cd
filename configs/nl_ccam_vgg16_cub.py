"""NL-CCAM (Yang et al. 2020) with VGG16-GAP on CUB-200-2011.

wsolkit train nl_ccam_vgg16_cub --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = "./cam_vgg16_cub.py"

model = dict(
    modifiers=[dict(type="NonLocal", at="pool3"), dict(type="NonLocal", at="conv5_3")],
    cam_method=dict(type="CombinedMaps"),
    box_extractor=dict(threshold=0.12),
)
