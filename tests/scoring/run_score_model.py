"""Scores an untrained model with ``score_model`` and with mmengine's evaluator; one process writes the numbers."""

import json
import sys
from pathlib import Path

import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from wsolkit.config.classes import fill_classes
from wsolkit.config.load import load_config
from wsolkit.registry import MODELS, SCOPE
from wsolkit.report.evaluation_file import as_dict
from wsolkit.scoring.from_model import score_model
from wsolkit.training.processes import process_group

OPTIONS = {
    "val_dataloader.dataset.num_images": 13,
    "test_dataloader.dataset.num_images": 21,
    "model.backbone.output_stride": 8,
    "model.precision": "fp32",
}
for split in ("val", "test"):
    # One image at a time, so that no sum depends on which images share a batch.
    OPTIONS |= {f"{split}_dataloader.batch_size": 1, f"{split}_dataloader.num_workers": 0}
    OPTIONS |= {f"{split}_dataloader.persistent_workers": False}

METRICS = [{"type": "LocalizationMetric"}, {"type": "ProtocolMetric", "protocol": "MaxBoxAccV2"}]


def main(out, launcher):
    with process_group(launcher), DefaultScope.overwrite_default_scope(SCOPE):
        config = fill_classes(load_config("cam_synthetic", OPTIONS))
        torch.manual_seed(3)
        model = MODELS.build(config.model).eval()
        found = as_dict(score_model(config, model)) | {"command": ""}
        loader = Runner.build_dataloader(config.test_dataloader, seed=0)
        evaluator = Evaluator(METRICS)
        evaluator.dataset_meta = loader.dataset.metainfo
        for batch in loader:
            with torch.no_grad():
                evaluator.process(data_samples=model.test_step(batch), data_batch=batch)
        found["mmengine"] = evaluator.evaluate(len(loader.dataset))
        if not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0:
            Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
