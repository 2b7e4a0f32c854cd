# SGD as C2AM's appendix has it: momentum .9, weight decay 1e-4 on everything, cosine decay from the first step.
optim_wrapper = dict(
    type="OptimWrapper",
    constructor="PartOptimWrapperConstructor",
    optimizer=dict(type="SGD", lr=1e-4, momentum=0.9, weight_decay=1e-4, fused=True),
    paramwise_cfg=dict(lr_mult=dict(backbone=1.0, head=1.0)),
)
param_scheduler = [dict(type="CosineAnnealingLR", convert_to_iter_based=True)]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=20, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

# How it runs: log, checkpoints, TensorBoard, seed. Hooks that every training needs are added by wsolkit itself.
default_scope = "wsolkit"
default_hooks = dict(logger=dict(type="LoggerHook", interval=20), checkpoint=dict(type="Checkpoints", interval=1))
visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")])
env_cfg = dict(cudnn_benchmark=True)
randomness = dict(seed=0, deterministic=False)
