"""NL-CCAM (Yang et al. 2020) with EfficientNet-Lite0 on birds50.

wsolkit train nl_ccam_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(
    modifiers=[dict(type="NonLocal", at="blocks.5"), dict(type="NonLocal", at="blocks.6")],
    cam_method=dict(_delete_=True, type="CombinedMaps"),
    box_extractor=dict(threshold=0.12),
)
