"""CSoA with both classifiers after block 5 (CSoA-5-5 of table 2), with VGG16 on CUB-200-2011.

    wsolkit train csoa_block5_vgg16_cub --cfg-options data_root=... weights=vgg16.pth \
        model.losses.2.embedding.weights=alexnet.pth

As csoa_vgg16_cub, which is CSoA-4-5.
"""

_base_ = ["csoa_vgg16_cub.py"]

model = dict(head=dict(levels=["block5", "block5"]))
