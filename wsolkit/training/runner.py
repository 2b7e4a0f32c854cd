"""mmengine's runner, which reads no file itself: whatever it would load goes through the one safe reader.

mmengine unpickles files, downloads addresses and parses a checkpoint's ``meta["config"]`` as Python. Here it is given
what ``wsolkit.weights`` has read and checked, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mmengine.config import ConfigDict
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from wsolkit.errors import CheckpointError, WsolkitError
from wsolkit.model.memory import within_memory
from wsolkit.weights.checkpoint import find_state, load_weights, read_checkpoint
from wsolkit.weights.fitting import fit_weights
from wsolkit.weights.safely import first_line, read_safely

__all__ = ["SafeRunner", "bare", "min_match"]


class SafeRunner(Runner):
    """mmengine's runner with wsolkit's reader of checkpoints and its rule of what fits a model."""

    def build_model(self, model: Any) -> nn.Module:
        """Build the model, unless it is larger than the memory.

        Raises:
            ConfigError: it is.
        """
        with within_memory():
            built: nn.Module = super().build_model(model)
        return built

    def train(self) -> nn.Module:
        """Train; whatever mmengine loads meanwhile, also for ``init_cfg``, is read safely."""
        with engine_reads_safely():
            return super().train()

    def load_checkpoint(
        self, filename: str, map_location: Any = "cpu", strict: bool = False, revise_keys: Any = None
    ) -> dict[str, Any]:
        """Read a checkpoint and put its weights into the model: all of them where a training goes on, else what fits.

        Args:
            filename: a local file.
            map_location: where tensors go, as in ``torch.load``.
            strict: as mmengine gives it; not read.
            revise_keys: as mmengine gives it; not read.

        Returns:
            The checkpoint, without the configuration that mmengine would run.

        Raises:
            CheckpointError: it cannot be read safely, or was made for another model.
        """
        checkpoint = without_code(read_checkpoint(filename, map_location))
        self.call_hook("after_load_checkpoint", checkpoint=checkpoint)
        if self._resume:
            load_weights(bare(self.model), checkpoint, filename)
        else:
            least, state = min_match(self.cfg), checkpoint["state_dict"]
            fit_weights(bare(self.model), state, least, origin=filename).log(f"{filename} into the model")
        self._has_loaded = True
        self.logger.info(f"Load checkpoint from {filename}")
        return checkpoint

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Go on from a checkpoint.

        Raises:
            CheckpointError: its optimizer, its schedules or its log are of another training.
        """
        try:
            super().resume(filename, *args, **kwargs)
        except WsolkitError:
            raise
        except (
            ArithmeticError,
            AssertionError,
            AttributeError,
            LookupError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            raise CheckpointError(
                f"The checkpoint {filename} cannot be resumed from: {type(error).__name__}: {first_line(error)}. Its "
                "optimizer, schedules or log are of another training. Resume with the configuration it was written "
                f"with, or start from its weights with --cfg-options load_from={filename}."
            ) from error


@contextmanager
def engine_reads_safely() -> Iterator[None]:
    """Let mmengine's own loader, which ``init_cfg=dict(type="Pretrained")`` and others use, read safely."""
    theirs = vars(CheckpointLoader)["load_checkpoint"]

    def load(filename: str, map_location: Any = None, logger: Any = None) -> Any:  # noqa: ARG001 - mmengine's names
        payload = read_safely(filename, map_location or "cpu")
        state = find_state(payload)
        return without_code({**payload, "state_dict": state}) if state else payload

    CheckpointLoader.load_checkpoint = staticmethod(load)
    try:
        yield
    finally:
        CheckpointLoader.load_checkpoint = theirs


def without_code(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Return a checkpoint without ``meta["config"]``, which mmengine runs when it resumes.

    >>> without_code({"state_dict": {}, "meta": {"epoch": 1, "config": "exit()"}})
    {'state_dict': {}, 'meta': {'epoch': 1}}
    """
    meta = checkpoint.get("meta")
    if not isinstance(meta, Mapping):
        return checkpoint
    return {**checkpoint, "meta": {key: value for key, value in meta.items() if key != "config"}}


def bare(model: nn.Module) -> nn.Module:
    """Return a model without its parallel wrapper."""
    inner: nn.Module = model.get_submodule("module") if is_model_wrapper(model) else model
    return inner


def min_match(config: Mapping[str, Any]) -> float:
    """Return the least part of the weights that has to fit, as the backbone's ``min_match`` says for its own.

    >>> min_match({"model": {"backbone": {"min_match": 0.5}}}), min_match({})
    (0.5, 0.9)
    """
    backbone = (config.get("model") or {}).get("backbone")
    given = backbone.get("min_match") if isinstance(backbone, (dict, ConfigDict)) else None
    return 0.9 if given is None else float(given)
