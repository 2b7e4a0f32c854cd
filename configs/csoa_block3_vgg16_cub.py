"""CSoA with the early classifier after block 3 (CSoA-3-5 of table 2), with VGG16 on CUB-200-2011.

    wsolkit train csoa_block3_vgg16_cub --cfg-options data_root=... weights=vgg16.pth \
        model.losses.2.embedding.weights=alexnet.pth

As csoa_vgg16_cub, which is CSoA-4-5. The early map has 56 x 56 cells, the late one 28 x 28; the paper does not tell.
"""

_base_ = ["csoa_vgg16_cub.py"]

model = dict(head=dict(levels=["block3", "block5"]))
