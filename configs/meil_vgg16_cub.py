"""MEIL (Mai, Yang and Luo 2020) with VGG16-GAP on CUB-200-2011: EIL at two levels.

wsolkit train meil_vgg16_cub --cfg-options data_root=... weights=vgg16.pth
"""

_base_ = ["cam_vgg16_cub.py"]

model = dict(
    head=dict(
        _delete_=True,
        type="ErasedPasses",
        head=dict(type="CAMHead", form="linear"),
        levels=["block4", "block5"],
        threshold=0.7,
    ),
    losses=[
        dict(type="CrossEntropy"),
        dict(type="CrossEntropy", logits="erased_logits", name="erased"),
        dict(type="CrossEntropy", logits="erased_logits_2", name="erased_deeper"),
    ],
)
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[60], gamma=0.1)]
train_cfg = dict(max_epochs=80)
