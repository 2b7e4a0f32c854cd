"""CSoA with ConfSeg alone, a row of the paper's ablation, with MobileNetV2 on birds50.

    wsolkit train csoa_confseg_mobilenetv2_birds50 --cfg-options data_root=... weights=...

As csoa_mobilenetv2_birds50, with the same batches, without CoAug.
"""

_base_ = ["csoa_mobilenetv2_birds50.py"]

model = dict(losses=[dict(type="CrossEntropy"), dict(type="ConfSeg")])
