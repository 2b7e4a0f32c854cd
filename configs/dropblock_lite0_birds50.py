"""DropBlock (Ghiasi et al. 2018) with EfficientNet-Lite0 on birds50, beside cam_lite0_birds50.

    wsolkit train dropblock_lite0_birds50 --cfg-options data_root=...

It sits on the 1280 channels that the classifier reads, 14 x 14 cells.
"""

_base_ = ["./cam_lite0_birds50.py"]

model = dict(modifiers=[dict(type="DropBlock", drop_prob=0.1, block_size=7, at="bn2")])
