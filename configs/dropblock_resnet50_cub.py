"""DropBlock (Ghiasi et al. 2018) with ResNet-50 on CUB-200-2011, from ImageNet weights.

    wsolkit train dropblock_resnet50_cub --cfg-options data_root=...

Behind the last two stages, blocks of 7 cells and a tenth of the cells, as the paper; the probability does not grow.
"""

_base_ = ["./cam_resnet50_cub.py"]

model = dict(
    modifiers=[dict(type="DropBlock", drop_prob=0.1, block_size=7, at=place) for place in ("layer3", "layer4")]
)
