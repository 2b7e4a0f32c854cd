"""WILDCAT whose maps of one class are kept apart, with MobileNetV2 on PASCAL VOC 2012 (ex-CAM, section 3.8.1).

    wsolkit train excam_exclusive_mobilenetv2_voc --cfg-options data_root=... weights=...

The dissertation gives no weight of the loss; .1 is ours.
The weights are a local file, or the environment variable WSOLKIT_WEIGHTS; without them training starts from scratch.
"""

_base_ = ["wildcat_mobilenetv2_voc.py"]

model = dict(
    head=dict(pooling=dict(alpha=0.6)),
    losses=[dict(type="BinaryCrossEntropy"), dict(type="ExclusiveMaps", weight=0.1)],
)
