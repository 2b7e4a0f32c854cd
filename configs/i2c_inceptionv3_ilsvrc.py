"""I2C (Zhang et al. 2020) with InceptionV3 on ILSVRC in the wsolevaluation layout; batches of 16 classes of 4 images.

    wsolkit train i2c_inceptionv3_ilsvrc --cfg-options data_root=... weights=inception_v3.pth

The weights are torchvision's InceptionV3 in a local file.
"""

_base_ = ["_base_/ilsvrc.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="InceptionV3", extra_channels=1024),
    head=dict(type="CAMHead", form="linear"),
    losses=[dict(type="CrossEntropy"), dict(type="ObjectConsistency")],
    box_extractor=dict(type="LargestComponent", threshold=0.2),
)
train_dataloader = dict(batch_sampler=dict(type="ClassBalancedBatchSampler", classes=16, images=4))
optim_wrapper = dict(
    optimizer=dict(lr=0.001), paramwise_cfg=dict(lr_mult={"backbone": 1.0, "backbone.conv_extra": 10.0, "head": 10.0})
)
