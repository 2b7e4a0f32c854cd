"""I2C (Zhang et al. 2020) with EfficientNet-Lite0 on birds50; batches of 8 classes with 4 images each.

wsolkit train i2c_lite0_birds50 --cfg-options data_root=...
"""

_base_ = "./cam_lite0_birds50.py"

model = dict(losses=[dict(type="CrossEntropy"), dict(type="ObjectConsistency")])
train_dataloader = dict(batch_sampler=dict(type="ClassBalancedBatchSampler", classes=8, images=4))
