"""I2C (Zhang et al. 2020) with ResNet-50 on CUB-200-2011; batches of 8 classes with 4 images each.

wsolkit train i2c_resnet50_cub --cfg-options data_root=...
"""

_base_ = "./cam_resnet50_cub.py"

model = dict(losses=[dict(type="CrossEntropy"), dict(type="ObjectConsistency")])
train_dataloader = dict(batch_sampler=dict(type="ClassBalancedBatchSampler", classes=8, images=4))
