"""CAM on scenes that are drawn on the fly: needs no data and no weights, trains in about two minutes on two cores.

wsolkit train cam_synthetic
"""

_base_ = ["_base_/synthetic.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="resnet10t", levels=["layer4"], output_stride=16),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_epochs=8)
