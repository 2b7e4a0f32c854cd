"""MEIL (Mai, Yang and Luo 2020) with EfficientNet-Lite0 on birds50: EIL at two levels.

wsolkit train meil_lite0_birds50 --cfg-options data_root=...
"""

_base_ = ["cam_lite0_birds50.py"]

model = dict(
    backbone=dict(levels=["blocks.4", "blocks.6", "final"]),
    head=dict(
        _delete_=True,
        type="ErasedPasses",
        head=dict(type="CAMHead", form="linear"),
        levels=["blocks.4", "blocks.6"],
        threshold=0.7,
        normalize="minmax",
    ),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="CrossEntropy", logits="erased_logits", name="erased"),
        dict(type="CrossEntropy", logits="erased_logits_2", name="erased_deeper"),
    ],
)
