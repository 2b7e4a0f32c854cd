# SGD with momentum; one warm-up epoch, then cosine decay until the end of training. Norms and biases do not decay.
optim_wrapper = dict(
    type="OptimWrapper",
    constructor="PartOptimWrapperConstructor",
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True),
    paramwise_cfg=dict(lr_mult=dict(backbone=1.0, head=1.0), decay_mult=dict(norm=0.0, bias=0.0)),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, begin=0, end=1, convert_to_iter_based=True),
    dict(type="CosineAnnealingLR", begin=1, convert_to_iter_based=True),
]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=10, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

# How it runs: log, checkpoints, TensorBoard, seed. Hooks that every training needs are added by wsolkit itself.
default_scope = "wsolkit"
default_hooks = dict(logger=dict(type="LoggerHook", interval=20), checkpoint=dict(type="Checkpoints", interval=1))
visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")])
env_cfg = dict(cudnn_benchmark=True)
randomness = dict(seed=0, deterministic=False)
