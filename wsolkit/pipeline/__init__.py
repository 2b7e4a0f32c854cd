"""Pipelines: stages that meet in files, run by one command, resumed where they were stopped."""

from wsolkit.pipeline.configurations import checked_options, declared_configuration, files_named, outside_files
from wsolkit.pipeline.image_maps import (
    NO_CLASS,
    ImageMaps,
    image_maps_file,
    list_image_maps,
    read_image_maps,
    write_image_maps,
)
from wsolkit.pipeline.maps_stage import MapsStage, maps_of_batch
from wsolkit.pipeline.model_stage import ModelStage, load_model
from wsolkit.pipeline.placeholders import has_placeholder
from wsolkit.pipeline.plan import Pipeline, load_pipeline, plan_pipeline
from wsolkit.pipeline.predict_stage import PredictStage
from wsolkit.pipeline.run import Outcome, run_pipeline
from wsolkit.pipeline.split_stage import SplitStage
from wsolkit.pipeline.splits import SplitImages, build_split, check_split, input_size, split_batches
from wsolkit.pipeline.testing_stage import TestStage
from wsolkit.pipeline.train_stage import TrainStage
from wsolkit.predict.device import choose_device
from wsolkit.predict.progress import progress
from wsolkit.runner.config import load_config

__all__ = [
    "NO_CLASS",
    "ImageMaps",
    "MapsStage",
    "ModelStage",
    "Outcome",
    "Pipeline",
    "PredictStage",
    "SplitImages",
    "SplitStage",
    "TestStage",
    "TrainStage",
    "build_split",
    "check_split",
    "checked_options",
    "choose_device",
    "declared_configuration",
    "files_named",
    "has_placeholder",
    "image_maps_file",
    "input_size",
    "list_image_maps",
    "load_config",
    "load_model",
    "load_pipeline",
    "maps_of_batch",
    "outside_files",
    "plan_pipeline",
    "progress",
    "read_image_maps",
    "run_pipeline",
    "split_batches",
    "write_image_maps",
]
