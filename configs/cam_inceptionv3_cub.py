"""CAM with InceptionV3 cut after Mixed_6e ("GoogLeNet" in the literature) on CUB-200-2011, from ImageNet weights.

    wsolkit train cam_inceptionv3_cub --cfg-options data_root=... weights=inception_v3.pth

The weights are torchvision's InceptionV3 in a local file.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),  # as it was trained
    backbone=dict(type="InceptionV3"),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
optim_wrapper = dict(optimizer=dict(lr=0.001), paramwise_cfg=dict(lr_mult=dict(backbone=1.0, head=10.0)))
train_cfg = dict(max_epochs=50)
