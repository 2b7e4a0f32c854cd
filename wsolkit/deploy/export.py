"""From a checkpoint to a file that other programs run, and a script beside it that finds the same boxes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch

from wsolkit import __version__
from wsolkit.components.boxes import AllComponents, LargestComponent
from wsolkit.datasets.reading import prepare_image
from wsolkit.deploy import boxes
from wsolkit.deploy.agreement import check_agreement
from wsolkit.deploy.files import FORMATS, INPUT, needed_libraries
from wsolkit.deploy.program import MapProgram
from wsolkit.errors import ConfigError, one_of
from wsolkit.files import whole_file, write_text
from wsolkit.folders import claim_folder
from wsolkit.inference.predictor import Predictor
from wsolkit.interfaces import BoxExtractor
from wsolkit.lock import locked

__all__ = ["Exported", "To", "export_model"]

To = Literal["onnx", "torchscript"]
SCRIPT = "boxes.py"
PROBES = ((61, 90), (700, 333))
"""Heights and widths of the pictures that the script's way of resizing is tried on."""


class Exported(NamedTuple):
    """What was written.

    Attributes:
        path: the model's file.
        script: the script beside it, or None for TorchScript.
        facts: what the file says about its use.
        difference: how far its scores were from PyTorch's, at most.
    """

    path: Path
    script: Path | None
    facts: dict[str, Any]
    difference: float


def export_model(
    config: Any,
    checkpoint: str | Path | None = None,
    to: To = "onnx",
    out: str | Path | None = None,
    threshold: float | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write a trained model as one ONNX or TorchScript file, from pixels to finished score maps and logits.

    The input ``images`` is (B, H, W, 3) uint8 RGB of the test pipeline's size, for any B. The outputs are ``maps``,
    (B, K, H, W) or (B, 1, H, W) in [0, 1] as the CAM method makes them, and ``logits`` (B, K) where the model
    classifies. The file is compared with PyTorch before it appears, on batches of several sizes. Beside an ONNX file
    lies ``boxes.py``, which needs NumPy, ONNX Runtime and Pillow alone and finds the boxes of ``wsolkit predict``.

    Args:
        config: as of ``Predictor.from_config``: a checkpoint alone, or a configuration.
        checkpoint: the checkpoint, where ``config`` is a configuration.
        to: ``onnx`` or ``torchscript``.
        out: folder for the files; by default one beside the checkpoint that is named after the format.
        threshold: where boxes are cut; by default as chosen on the validation split.
        cfg_options: entries of the configuration to change, by dotted name.
        overwrite: whether an earlier export in the folder may be replaced.

    Raises:
        ConfigError: a part of the model cannot be exported, a library is missing, or the folder may not be written to.
        CheckpointError: as of ``Predictor.from_config``.
        WsolkitError: the file would differ from PyTorch.
    """
    one_of("to", to, get_args(To))
    needed_libraries(to)
    folder = Path(out) if out is not None else Path(checkpoint or str(config)).parent / to
    kind = FORMATS[to]

    def claim() -> None:
        claim_folder(folder, "exports", kind.file, lambda _: "an earlier export", overwrite, writer="wsolkit export")

    claim()
    predictor = Predictor.from_config(config, checkpoint, "cpu", threshold, cfg_options)
    if not (predictor.classifies or predictor.class_agnostic):
        raise ConfigError(
            "The model has a map for each class but does not classify, so nothing in an exported file could say which "
            "class is in an image. Export a model that classifies, or one with a map for all classes."
        )
    facts = facts_of(predictor, to)
    program = MapProgram(predictor.model, predictor.input_size).eval()
    facts["outputs"] = list(program.outputs)
    with locked(folder, "export", "--out"):
        claim()
        with whole_file(folder / kind.file) as temporary:
            kind.write(program, temporary, facts)
            difference = check_agreement(kind.load(temporary, program), predictor.model, predictor.input_size)
        script = folder / SCRIPT if to == "onnx" else None
        if script is not None:
            write_text(script, Path(boxes.__file__).read_text(encoding="utf-8"))
    return Exported(folder / kind.file, script, facts, difference)


def facts_of(predictor: Predictor, to: To) -> dict[str, Any]:
    """Return what a file says about its use.

    Raises:
        ConfigError: the script could not repeat how boxes are found or how images are resized.
    """
    facts: dict[str, Any] = {
        "wsolkit_version": __version__,
        "input": INPUT,
        "input_size": list(predictor.input_size),
        "classes": list(predictor.categories()),
        "multi_label": predictor.multi_label,
        "threshold": predictor.threshold,
        "threshold_source": predictor.threshold_source,
        **predictor.origin,
    }
    if to == "onnx":
        facts |= box_facts(predictor.box_extractor)
        check_resize(predictor)
    return facts


def box_facts(extractor: BoxExtractor) -> dict[str, Any]:
    """Return how the script is to find boxes.

    Raises:
        ConfigError: it cannot do what the extractor does.
    """
    if type(extractor) is LargestComponent:
        return {"boxes": "largest", "min_area": 0.0, "most_boxes": 1}
    if type(extractor) is AllComponents:
        return {"boxes": "all", "min_area": extractor.min_area, "most_boxes": extractor.max_boxes}
    raise ConfigError(
        f"The script beside an ONNX file finds boxes as LargestComponent or AllComponents do, but the model has "
        f"{type(extractor).__name__}. Add --cfg-options model.box_extractor.type=LargestComponent, or export "
        "--to torchscript, which has no script."
    )


def check_resize(predictor: Predictor) -> None:
    """Look whether the test pipeline brings images to the network's input as the script does.

    Raises:
        ConfigError: it does something else than an antialiased bilinear resize.
    """
    height, width = predictor.input_size
    for number, (rows, columns) in enumerate(PROBES):
        pixels = np.random.default_rng(number).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
        wanted = prepare_image(torch.from_numpy(pixels).permute(2, 0, 1), predictor.transform).permute(1, 2, 0)
        found = boxes.shrink(boxes.shrink(pixels.swapaxes(0, 1), width).swapaxes(0, 1), height)
        # Processors without AVX2 round differently.
        if wanted.shape != found.shape or np.abs(wanted.numpy().astype(int) - found).max() > 1:
            raise ConfigError(
                f"The script beside an ONNX file brings images to {width} x {height} pixels by an antialiased bilinear "
                "Resize, and the model's test pipeline does something else. Export --to torchscript, which has no "
                "script, or give the pipeline dict(type='Resize', size=(H, W), antialias=True) alone."
            )
