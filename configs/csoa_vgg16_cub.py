"""CSoA (Kou et al. 2021) with VGG16 on CUB-200-2011, from ImageNet weights: both modules.

    wsolkit train csoa_vgg16_cub --cfg-options data_root=... weights=vgg16.pth \
        model.losses.2.embedding.weights=alexnet.pth

Both weight files are torchvision's. Classifiers after blocks 4 and 5; pool4 is left out, so that both have 28 x 28
cells. Batches of 12 classes x 4 images, learning rate 1e-3 times .95 per epoch, momentum .9, weight decay 5e-4 and
theta .3 as the paper. It does not say for how many epochs, nor the weights of the losses: 50 epochs are those of the
other CUB configurations here, gamma and delta are 1.
"""

_base_ = ["_base_/cub200.py", "_base_/sgd_cosine.py"]

model = dict(
    type="Localizer",
    backbone=dict(type="VGG16GAP", large_feature_map=True, extra_channels=0),
    head=dict(type="TwoBranchHead", levels=["block4", "block5"], hidden=1024),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="ConfSeg"),
        dict(type="CoAug", embedding=dict(type="AlexNet", weights=None)),
    ],
    cam_method=dict(type="BranchUnion"),
    box_extractor=dict(type="LargestComponent", threshold=0.3),
)
train_dataloader = dict(batch_size=48, batch_sampler=dict(type="ClassBalancedBatchSampler", classes=12, images=4))
optim_wrapper = dict(optimizer=dict(lr=1e-3), paramwise_cfg=dict(decay_mult=dict(_delete_=True)))
param_scheduler = [dict(type="ExponentialLR", gamma=0.95)]
train_cfg = dict(max_epochs=50)
