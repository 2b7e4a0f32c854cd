"""Models that others have shared: one file of weights is fetched, as data, and nothing that came with it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsolkit.errors import CheckpointError, shortened
from wsolkit.inference.predictor import Predictor
from wsolkit.weights.network import cache_alone_without_network
from wsolkit.weights.safetensors_files import SUFFIX

__all__ = ["MODEL", "from_pretrained", "model_file"]

MODEL = f"model{SUFFIX}"
"""What the file of a shared model is called."""


def from_pretrained(
    name: str | Path, revision: str | None = None, token: str | bool | None = None, **options: Any
) -> Predictor:
    """Return a predictor of a model that was shared on the Hugging Face hub or written by ``save_pretrained``.

    Of what lies there ``model.safetensors`` alone is fetched. It holds tensors and, as text, the configuration, which
    may name only parts of wsolkit and of plugins that are installed: no code is run.

    Args:
        name: a folder with ``model.safetensors``, or ``OWNER/NAME`` on the hub.
        revision: branch, tag or commit on the hub.
        token: of the hub, for private models.
        options: arguments of ``Predictor.from_config``, such as ``device`` and ``threshold``.

    Raises:
        CheckpointError: there is no such model, it cannot be fetched, is damaged, names parts that are not installed,
            or would run code.
    """
    return Predictor.from_config(model_file(name, revision, token), **options)


def model_file(name: str | Path, revision: str | None = None, token: str | bool | None = None) -> Path:
    """Return the file of a shared model on this machine; see ``from_pretrained``.

    Raises:
        CheckpointError: there is none, or it cannot be fetched.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / MODEL).is_file():
            raise CheckpointError(
                f"There is no {MODEL} in {folder}. Write one with wsolkit.save_pretrained(CHECKPOINT, FOLDER), or give "
                "a checkpoint to load_model or Predictor.from_config."
            )
        return folder / MODEL
    if folder.is_file():
        raise CheckpointError(
            f"{folder} is a file, and from_pretrained takes a folder or OWNER/NAME on the hub. Give the file to "
            "load_model or Predictor.from_config."
        )
    return fetched(str(name), revision, token)


def fetched(name: str, revision: str | None, token: str | bool | None) -> Path:
    """Fetch the file of a model from the hub, or take it from the cache; see ``model_file``."""
    import huggingface_hub
    from huggingface_hub import errors

    try:
        with cache_alone_without_network():
            return Path(huggingface_hub.hf_hub_download(name, MODEL, revision=revision, token=token))
    except errors.HFValidationError:
        why = "It is no folder here, and on the hub a model is called OWNER/NAME."
    except errors.RepositoryNotFoundError:
        why = "There is no such model on the hub, or it is private: log in with `hf auth login`, or give a token."
    except errors.RevisionNotFoundError:
        why = f"It has no revision {revision!r}."
    except errors.LocalEntryNotFoundError:
        why = (
            "The hub does not answer, and the model is not in the cache. Download its folder elsewhere and give the "
            "folder."
        )
    except errors.EntryNotFoundError:
        why = f"It holds no {MODEL}, so it is no model of wsolkit's push_to_hub. Other files are not fetched."
    except (OSError, ValueError) as error:
        why = f"{type(error).__name__}: {shortened(' '.join(str(error).split()), 200)}."
    raise CheckpointError(f"The model {name} cannot be fetched from the Hugging Face hub. {why}")
