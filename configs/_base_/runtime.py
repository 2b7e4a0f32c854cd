# How a training runs: log, checkpoints, TensorBoard, seed. Hooks that every training needs are added by wsolkit itself.
default_scope = "wsolkit"

default_hooks = dict(
    logger=dict(type="LoggerHook", interval=20),
    checkpoint=dict(type="Checkpoints", interval=1),
)
visualizer = dict(
    type="Visualizer",
    vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")],
)
env_cfg = dict(cudnn_benchmark=True)
randomness = dict(seed=0, deterministic=False)
