"""CSoA with InceptionV3 cut after Mixed_6e ("GoogLeNet" in the paper) on CUB-200-2011, from ImageNet weights.

    wsolkit train csoa_inceptionv3_cub --cfg-options data_root=... weights=inception_v3.pth \
        model.losses.2.embedding.weights=alexnet.pth

Both weight files are torchvision's. Classifiers after Mixed_6b and Mixed_6e; the rest as csoa_vgg16_cub.
"""

_base_ = ["csoa_vgg16_cub.py"]

half = (0.5, 0.5, 0.5)

model = dict(
    data_preprocessor=dict(type="ImagePreprocessor", mean=half, std=half),  # as the weights were trained
    backbone=dict(_delete_=True, type="InceptionV3"),
    head=dict(levels=["mixed_6b", "mixed_6e"]),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="ConfSeg"),
        dict(type="CoAug", embedding=dict(type="AlexNet", weights=None), input_norm=(half, half)),
    ],
)
