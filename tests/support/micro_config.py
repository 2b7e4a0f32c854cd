# ruff: noqa: C408 - written as configurations are
custom_imports = dict(imports=["tests.support.micro"])

model = dict(
    type="Localizer",
    backbone=dict(type="MicroBackbone"),
    head=dict(type="LinearHead", dropout=0.2),
    losses=[dict(type="CrossEntropy")],
    modifiers=[dict(type="Noise", at="last")],
    precision="fp32",
)
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(type="MicroDataset", split="train", pipeline=[dict(type="Brighten")]),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(type="MicroDataset", split="val", num_images=7, test_mode=True),
)
val_evaluator = dict(type="MicroMetric")
train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=1)
val_cfg = dict()
optim_wrapper = dict(
    constructor="PartOptimWrapperConstructor",
    optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4, fused=True),
    paramwise_cfg=dict(lr_mult=dict(backbone=0.5), decay_mult=dict(norm=0, bias=0)),
)
param_scheduler = dict(type="CosineAnnealingLR", T_max=4)
default_hooks = dict(logger=dict(type="LoggerHook", interval=2))
randomness = dict(seed=3)
