"""CSoA with InceptionV3 cut after Mixed_6e ("GoogLeNet" in the paper) on CUB-200-2011, from ImageNet weights.

    wsolkit train csoa_inceptionv3_cub --cfg-options data_root=... weights=inception_v3.pth \
        model.losses.2.embedding.weights=alexnet.pth

Both weight files are torchvision's. Classifiers after Mixed_6b and Mixed_6e; the rest as csoa_vgg16_cub.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

half = (0.5, 0.5, 0.5)

model = dict(
    type="Localizer",
    data_preprocessor=dict(type="ImagePreprocessor", mean=half, std=half),  # as the weights were trained
    backbone=dict(type="InceptionV3"),
    head=dict(type="TwoBranchHead", levels=["mixed_6b", "mixed_6e"], hidden=1024),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="ConfSeg"),
        dict(type="CoAug", embedding=dict(type="AlexNet", weights=None), input_norm=(half, half)),
    ],
    cam_method=dict(type="BranchUnion"),
    box_extractor=dict(type="LargestComponent", threshold=0.3),
)
train_dataloader = dict(batch_size=48, batch_sampler=dict(type="ClassBalancedBatchSampler", classes=12, images=4))
optim_wrapper = dict(optimizer=dict(lr=1e-3), paramwise_cfg=dict(decay_mult=dict(_delete_=True)))
param_scheduler = [dict(type="ExponentialLR", gamma=0.95)]
train_cfg = dict(max_epochs=50)
