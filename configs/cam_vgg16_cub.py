"""CAM with the authors' VGG16-GAP (an extra 3x3 convolution of 1024 channels) on CUB-200-2011, from ImageNet weights.

    wsolkit train cam_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

The weights are torchvision's VGG16 in a local file.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="VGG16GAP"),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.001), paramwise_cfg=dict(lr_mult={"backbone": 1.0, "backbone.conv6": 10.0, "head": 10.0})
)
train_cfg = dict(max_epochs=50)
