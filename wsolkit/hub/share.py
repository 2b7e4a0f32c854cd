"""Shares a trained model: one file of weights and a card, in a folder or on the Hugging Face hub."""

from __future__ import annotations

import tempfile
from pathlib import Path

from wsolkit.config.stored import stored_config
from wsolkit.errors import ConfigError, shortened
from wsolkit.files import write_text
from wsolkit.folders import claim_folder
from wsolkit.hub.card import model_card
from wsolkit.hub.fetch import MODEL
from wsolkit.hub.measured import measured
from wsolkit.weights.checkpoint import read_checkpoint
from wsolkit.weights.plain_copy import plain_copy

__all__ = ["push_to_hub", "save_pretrained"]

CARD = "README.md"


def save_pretrained(
    checkpoint: str | Path,
    folder: str | Path,
    name: str = "",
    results: str | Path | None = None,
    license: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a model as a folder to share: ``model.safetensors`` and its card ``README.md``; returns the folder.

    The card says which method and paper it is, what the classes are, how it was trained, and what was measured.

    Args:
        checkpoint: file that training wrote.
        folder: a new or empty one, or one of an earlier model.
        name: what the card calls it; by default the folder's name.
        results: folder or file of the results of ``wsolkit test``; by default the folders ``test`` and ``val`` beside
            the checkpoint, where they are of it.
        license: of the weights, as the hub writes it, such as ``apache-2.0``.
        overwrite: whether an earlier model may be replaced.

    Raises:
        CheckpointError: the checkpoint cannot be read, or holds no configuration.
        ConfigError: the folder holds something else, or the results are of another checkpoint.
        DataError: the results cannot be read.
    """
    source, out = Path(checkpoint), Path(folder)
    stored = read_checkpoint(source)
    stored_config(stored, source)  # complains where nobody could use the model
    found = measured(source, results)
    claim_folder(out, "models", MODEL, lambda _: "an earlier model", overwrite, writer="save_pretrained")
    write_text(out / CARD, model_card(name or out.resolve().name, stored, found, license))
    plain_copy(source, out / MODEL)
    return out


def push_to_hub(
    checkpoint: str | Path,
    name: str,
    results: str | Path | None = None,
    license: str | None = None,
    private: bool = False,
    token: str | bool | None = None,
    message: str = "Upload a model of wsolkit",
) -> str:
    """Share a model on the Hugging Face hub, its two files as of ``save_pretrained``, and return its address.

    Args:
        checkpoint: file that training wrote.
        name: ``OWNER/NAME`` on the hub; it is made where there is none.
        results: as in ``save_pretrained``.
        license: as in ``save_pretrained``.
        private: whether a new one is for its owner alone.
        token: of the hub; by default the one of ``hf auth login``.
        message: what the upload is called in its history.

    Raises:
        CheckpointError: the checkpoint cannot be read, or holds no configuration.
        ConfigError: the hub refuses or does not answer, or the results are of another checkpoint.
        DataError: the results cannot be read.
    """
    import huggingface_hub

    with tempfile.TemporaryDirectory() as scratch:
        folder = save_pretrained(checkpoint, Path(scratch) / "model", name, results, license)
        api = huggingface_hub.HfApi(token=token)
        try:
            address = str(api.create_repo(name, private=private, exist_ok=True))
            api.upload_folder(repo_id=name, folder_path=folder, commit_message=message)
        except (OSError, ValueError) as error:  # whatever the hub and the way to it say
            raise ConfigError(
                f"The model cannot be shared as {name}: {type(error).__name__}: "
                f"{shortened(' '.join(str(error).split()), 200)}. The hub wants OWNER/NAME and a token that may write "
                "(`hf auth login`); save_pretrained writes the same folder without it."
            ) from error
    return address
