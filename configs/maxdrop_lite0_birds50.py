"""Max-drop (Park and Kwak 2016) with EfficientNet-Lite0 on birds50, beside cam_lite0_birds50.

    wsolkit train maxdrop_lite0_birds50 --cfg-options data_root=...

It sits on the 1280 channels that the classifier reads, 14 x 14 cells.
"""

_base_ = ["./cam_lite0_birds50.py"]

model = dict(modifiers=[dict(type="MaxDrop", drop_prob=0.5, at="bn2")])
