"""The data and the features of psol_ddt: VGG16 on CUB-200-2011 at 448 x 448, from ImageNet weights.

DDT trains nothing: it takes the backbone as it is. The head is CAM's, should one want to fine-tune the features first:

    wsolkit train psol_ddt_features_vgg16_cub --cfg-options data_root=...
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

weights = "timm"

model = dict(
    type="Localizer",
    backbone=dict(type="TimmBackbone", name="vgg16.tv_in1k", levels=["features.30"]),
    head=dict(type="LinearHead"),
    losses=[dict(type="CrossEntropy")],
)
train_dataloader = dict(
    dataset=dict(pipeline=[dict(type="ResizedRandomCrop", size=512, crop=448), dict(type="RandomHorizontalFlip")])
)
val_dataloader = dict(dataset=dict(pipeline=[dict(type="Resize", size=(448, 448), antialias=True)]))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=0.001))
