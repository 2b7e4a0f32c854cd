"""ADL (Choe and Shim 2019) with EfficientNet-Lite0 on birds50, beside cam_lite0_birds50.

    wsolkit train adl_lite0_birds50 --cfg-options data_root=...

Three places with rectified features inside the part that is trained, all of 14 x 14 cells: 1152 channels twice inside
the last stage, whose block has no shortcut past the mask, and the 1280 channels that the classifier reads.
"""

_base_ = ["./cam_lite0_birds50.py"]

model = dict(
    modifiers=[
        dict(type="ADL", at=place, drop_rate=0.75, threshold=0.9)
        for place in ("blocks.6.0.bn1", "blocks.6.0.bn2", "bn2")
    ]
)
