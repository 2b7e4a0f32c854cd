"""Writes a traced program into one file, ONNX or TorchScript, with the facts about its use inside."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from wsolkit.deploy.agreement import Run
from wsolkit.deploy.program import MapProgram
from wsolkit.errors import ConfigError, WsolkitError
from wsolkit.weights.safely import first_line

__all__ = ["FORMATS", "INPUT", "Format", "needed_libraries"]

INPUT = "images"
FACTS = "wsolkit.json"
"""The name of the facts in a TorchScript file."""

OPSET = 17
"""The newest version of ONNX's operations that runtimes of 2022 and later know."""


class Format(NamedTuple):
    """A kind of file: its name, what writes it, and what loads it again to run it."""

    file: str
    write: Callable[[MapProgram, Path, Mapping[str, Any]], None]
    load: Callable[[Path, MapProgram], Run]


def needed_libraries(to: str) -> None:
    """Look for the libraries that a format takes.

    Raises:
        ConfigError: one is not installed.
    """
    missing = [name for name in ("onnx", "onnxruntime") if to == "onnx" and find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"An export to ONNX needs {' and '.join(missing)}, which is not installed. Install it with: "
            f"pip install {' '.join(missing)}. TorchScript (--to torchscript) needs nothing more."
        )


def write_onnx(program: MapProgram, path: Path, facts: Mapping[str, Any]) -> None:
    """Write a program as ONNX, for batches of any size; each fact is a text of JSON in its metadata.

    Raises:
        WsolkitError: the network does something that ONNX has no operation for.
    """
    import onnx

    names = [INPUT, *program.outputs]
    with traced(program):
        torch.onnx.export(
            program,
            (example(program),),
            str(path),
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "batch"} for name in names},
            opset_version=OPSET,
            dynamo=False,  # the exporter of every torch from 2.6 on; the newer one takes a minute
        )
    model = onnx.load(path)
    model.producer_name, model.producer_version = "wsolkit", str(facts["wsolkit_version"])
    onnx.helper.set_model_props(model, {name: json.dumps(value) for name, value in facts.items()})
    onnx.save(model, path)


def load_onnx(path: Path, program: MapProgram) -> Run:
    """Return what runs a file in ONNX Runtime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = list(program.outputs)
    return lambda images: dict(zip(names, session.run(names, {INPUT: images}), strict=True))


def write_torchscript(program: MapProgram, path: Path, facts: Mapping[str, Any]) -> None:
    """Write a program as TorchScript; the facts are the extra file ``wsolkit.json``.

    Raises:
        WsolkitError: the network cannot be traced.
    """
    with traced(program):
        found = torch.jit.trace(program, (example(program),), check_trace=False)
        torch.jit.save(found, str(path), _extra_files={FACTS: json.dumps(facts)})


def load_torchscript(path: Path, program: MapProgram) -> Run:
    """Return what runs a file in torch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = torch.jit.load(str(path), map_location="cpu")

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        with torch.no_grad():
            found = loaded(torch.from_numpy(images))
        return {name: value.numpy() for name, value in zip(program.outputs, found, strict=True)}

    return run


FORMATS = {
    "onnx": Format("model.onnx", write_onnx, load_onnx),
    "torchscript": Format("model.pt", write_torchscript, load_torchscript),
}


def example(program: MapProgram) -> torch.Tensor:
    """Return two empty images (2, H, W, 3): with one, an operation might take the batch for something else."""
    return torch.zeros(2, len(program.rows), len(program.columns), 3, dtype=torch.uint8)


@contextmanager
def traced(program: MapProgram) -> Iterator[None]:
    """Keep quiet about what the exporters warn of, which the comparison decides, and say failures in words.

    Raises:
        WsolkitError: the exporter failed.
    """
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (OSError, WsolkitError):
        raise
    except Exception as error:  # the exporters raise anything
        network = getattr(program.model.backbone, "name", type(program.model.backbone).__name__)
        raise WsolkitError(
            f"The model cannot be exported ({type(error).__name__}: {first_line(error)}). Nothing was written. The "
            f"network {network} or the head {type(program.model.head).__name__} does something that the file's format "
            "has no operation for; try the other format (--to), the network's own image size, or another network."
        ) from error
