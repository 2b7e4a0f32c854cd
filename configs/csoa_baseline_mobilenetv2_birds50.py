"""The baseline of CSoA's ablation, neither ConfSeg nor CoAug, with MobileNetV2 on birds50.

    wsolkit train csoa_baseline_mobilenetv2_birds50 --cfg-options data_root=... weights=...

One classifier of the same layers, learning rate and batches as csoa_mobilenetv2_birds50.
"""

_base_ = ["csoa_coaug_mobilenetv2_birds50.py"]

model = dict(losses=[dict(type="CrossEntropy")])
