"""CAM, Grad-CAM on the same network, and C2AM on the built-in scenes: a table that needs no data.

    wsolkit benchmark synthetic --out results

Two to three minutes on two cores. The network has the ImageNet weights that come with the installation, and rests.
"""

splits = ("train", "val", "test")
images = {"train": 240, "val": 48, "test": 96}
network = dict(type="TimmBackbone", name="tf_efficientnet_lite0", levels=["blocks.4", "blocks.6"], output_stride=16)
options = {
    "weights": "embedded",
    "model.backbone": network,
    "model.freeze": ["model"],
    "model.data_preprocessor": dict(type="ImagePreprocessor", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    **{f"{split}_dataloader.dataset.num_images": images[split] for split in splits},
    **{f"{split}_dataloader.dataset.image_size": 160 for split in splits},
    **{f"{split}_dataloader.dataset.pipeline": [dict(type="Resize", size=(160, 160))] for split in splits[1:]},
}
c2am = {
    "model.head": dict(type="C2AMHead", levels=["blocks.6", "blocks.4"]),
    "model.losses": [dict(type="C2AMLoss", alpha=0.05, batch_size=16)],
    "train_dataloader.batch_size": 16,
    "train_dataloader.drop_last": True,
    "optim_wrapper.optimizer.lr": 1e-3,
}

methods = {
    "CAM": "cam_synthetic",
    # It trains nothing: what CAM has learnt is tested with other maps.
    "Grad-CAM": dict(config="cam_synthetic", cam_method="GradCAM"),
    "C2AM": dict(config="cam_synthetic", options=c2am),
}
seeds = [0]
budget = dict(epochs=4)
baseline = "CAM"
