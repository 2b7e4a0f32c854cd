"""BAS (Wu, Zhai and Cao 2022) with VGG16-GAP on CUB-200-2011, on the schedule of CAM there.

wsolkit train bas_vgg16_cub --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = ["cam_vgg16_cub.py"]

model = dict(
    head=dict(_delete_=True, type="SuppressionHead", level="block5"),
    losses=[dict(type="CrossEntropy"), dict(type="BackgroundSuppression")],
)
