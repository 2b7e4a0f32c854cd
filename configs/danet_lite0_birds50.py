"""DANet (Xue et al. 2019) with EfficientNet-Lite0 on birds50, on the schedule of CAM there.

    wsolkit train danet_lite0_birds50 --cfg-options data_root=...

The groups are the last words of the birds' names: 25 of them for 50 kinds. One convolution of 256 channels in each
branch, in the place of two of 1024, for time.
"""

_base_ = ["cam_lite0_birds50.py"]

model = dict(
    head=dict(_delete_=True, type="DivergentHead", maps_per_class=8, hidden=(256,)),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="GroupCrossEntropy"),
        dict(type="DiscrepantMaps", weight=0.01),
    ],
    cam_method=dict(type="FusedMaps"),
)
