"""Options that make a shipped configuration small enough to score an untrained model with."""

__all__ = ["OPTIONS"]

OPTIONS = {
    "train_dataloader.dataset.num_images": 12,
    "val_dataloader.dataset.num_images": 14,
    "test_dataloader.dataset.num_images": 21,
    "val_dataloader.batch_size": 8,
    "test_dataloader.batch_size": 8,
    "val_dataloader.num_workers": 0,
    "val_dataloader.persistent_workers": False,
    "test_dataloader.num_workers": 0,
    "val_evaluator.thresholds": 10,
    "test_evaluator.thresholds": 10,
    "model.backbone.output_stride": 8,
    "model.precision": "fp32",
}
