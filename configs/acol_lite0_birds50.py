"""ACoL (Zhang et al. 2018) with EfficientNet-Lite0 on birds50; each classifier is a 1 x 1 convolution.

wsolkit train acol_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(
    head=dict(_delete_=True, type="ACoLHead", hidden=[], threshold=0.6),
    losses=[dict(type="CrossEntropy"), dict(type="CrossEntropy", logits="second_logits", name="second")],
    cam_method=dict(type="SecondLook"),
)
