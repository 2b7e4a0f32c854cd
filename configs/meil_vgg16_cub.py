"""MEIL (Mai, Yang and Luo 2020) with VGG16-GAP on CUB-200-2011: EIL at two levels.

wsolkit train meil_vgg16_cub --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = ["eil_vgg16_cub.py"]

model = dict(
    head=dict(levels=["block4", "block5"]),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="CrossEntropy", logits="erased_logits", name="erased"),
        dict(type="CrossEntropy", logits="erased_logits_2", name="erased_deeper"),
    ],
)
