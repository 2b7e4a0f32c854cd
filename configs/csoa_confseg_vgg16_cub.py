"""CSoA with ConfSeg alone (VGGnet-ConfSeg of table 1), with VGG16 on CUB-200-2011.

    wsolkit train csoa_confseg_vgg16_cub --cfg-options data_root=... weights=vgg16.pth

As csoa_vgg16_cub, with the same batches, without CoAug.
"""

_base_ = ["csoa_vgg16_cub.py"]

model = dict(losses=[dict(type="CrossEntropy"), dict(type="ConfSeg")])
