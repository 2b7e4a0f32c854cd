# How a saliency network learns from cues: PoolNet's numbers, Adam with one image at a time and ten of them to a step.
train_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="collate_samples"),
    dataset=dict(type="SaliencyCues", cues="cues", pipeline=[dict(type="RandomHorizontalFlip")]),
)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=5e-5, weight_decay=5e-4),
    accumulative_counts=10,
)
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=9)

# How it runs: log, checkpoints, TensorBoard, seed. Hooks that every training needs are added by wsolkit itself.
default_scope = "wsolkit"
default_hooks = dict(logger=dict(type="LoggerHook", interval=20), checkpoint=dict(type="Checkpoints", interval=1))
visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")])
env_cfg = dict(cudnn_benchmark=True)
randomness = dict(seed=0, deterministic=False)
