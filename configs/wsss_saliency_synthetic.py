"""PoolNet on the background cues of scenes that are drawn on the fly; needs no data and no weights.

wsolkit train wsss_saliency_synthetic --cfg-options train_dataloader.dataset.cues=FOLDER
"""

_base_ = ["_base_/saliency.py"]

scenes = dict(type="SyntheticParts", num_classes=6, image_size=96, object_size=(0.35, 0.65), seed=1)
model = dict(
    type="SaliencyNetwork",
    backbone=dict(type="TimmBackbone", name="resnet10t", levels=["layer1", "layer2", "layer3", "layer4"]),
    width=32,
    freeze_norms=False,  # random weights have no statistics to keep
)
train_dataloader = dict(batch_size=16, dataset=dict(dataset=dict(num_images=1200, split="train", **scenes)))
optim_wrapper = dict(optimizer=dict(lr=1e-3), accumulative_counts=1)
train_cfg = dict(max_epochs=3)
