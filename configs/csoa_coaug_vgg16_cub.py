"""CSoA with CoAug alone (VGGnet-CoAug of table 1), with VGG16 on CUB-200-2011.

    wsolkit train csoa_coaug_vgg16_cub --cfg-options data_root=... weights=vgg16.pth \
        model.losses.1.embedding.weights=alexnet.pth

As csoa_vgg16_cub, with the same batches, without the early branch.
"""

_base_ = ["csoa_vgg16_cub.py"]

model = dict(
    head=dict(levels=["block5"], early=False),
    losses=[dict(type="CrossEntropy"), dict(type="CoAug", embedding=dict(type="AlexNet", weights=None))],
    cam_method=dict(type="HeadMaps"),
)
