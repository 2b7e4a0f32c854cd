"""Pseudo masks of a split: the argmax over a background score and the class maps of each image."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from wsolkit import ConfigError, DataError, path_below, write_json
from wsolkit.formats import read_gray, read_index_mask, write_index_mask
from wsolkit.pipeline import SplitStage
from wsolkit.report import colour_mask, evenly, write_contact_sheet
from wsolkit_wsss.background_cues import CUES
from wsolkit_wsss.crf_settings import ON_PROBABILITIES, CrfSettings, crf_settings, refine_probabilities
from wsolkit_wsss.image_jobs import check_workers, run_jobs
from wsolkit_wsss.label_maps import Background, background_scores, label_map, label_probabilities
from wsolkit_wsss.labelled_images import LabelledImages, Labels, Scored
from wsolkit_wsss.mask_share import check_share
from wsolkit_wsss.tuning import POWERS, THRESHOLDS, Tuned, tune_background

__all__ = ["MASKS", "SETTINGS", "PseudoMasks", "pseudo_mask"]

MASKS = "masks"
"""Folder of the masks inside the stage's folder."""

SETTINGS = "settings.json"
TUNING = "tuning.json"
ADVICE = "Look at sheet.jpg; bg_power and bg_threshold, or tune_on, say how much is left to the background."

Refine = Callable[[np.ndarray, np.ndarray, CrfSettings], np.ndarray]


def pseudo_mask(
    found: Scored,
    background: str,
    power: float,
    threshold: float,
    settings: CrfSettings | None = None,
    refine: Refine = refine_probabilities,
) -> np.ndarray:
    """Return the pseudo mask of an image: the argmax over [background; class scores], or that of a CRF on them.

    Args:
        found: the image with its class scores.
        background: where the background score comes from, see ``background_scores``.
        power: of the background score.
        threshold: least background score.
        settings: numbers of the CRF; None leaves it out.
        refine: the CRF on probabilities (T + 1, H, W), which returns the place of the likeliest.

    Returns:
        (H, W) uint8: 0 background, k + 1 class k.
    """
    nothing = background_scores(found.scores, found.saliency, background, power, threshold)
    if settings is None or not found.classes:
        return label_map(found.classes, found.scores, nothing)
    places = refine(found.image, label_probabilities(found.scores, nothing), settings)
    return np.array([0, *(label + 1 for label in found.classes)], np.uint8)[places]


class PseudoMasks(SplitStage):
    """Writes pseudo masks of a split with VOC's palette: ``masks/<image>.png``, 0 background, k + 1 class k.

    Class maps are resized to the image and divided by their own maximum. A background score stands beside them (from a
    saliency network, from background cues, a constant, or a power of the class scores), and the highest of all decides.
    With ``tune_on``, power and threshold of the background are chosen on that split by mean IoU; ``tuning.json`` holds
    all that was tried, ``settings.json`` what was used and how it was chosen. ``sheet.jpg`` shows some images.

    Args:
        cams: folder of a stage that wrote class maps of the split, or of .npy files of another program.
        config: configuration whose images these are, by name or path.
        split: ``train``, ``val`` or ``test``.
        background: ``saliency``, ``cues`` (cues in its place, without the network), ``constant`` or ``power``.
        saliency: folder of the ``SaliencyMaps`` or ``BackgroundCues`` stage of this split, for the first two.
        bg_power: power of the background score; greater ones leave less to the background.
        bg_threshold: least background score anywhere.
        tune_on: split whose true masks choose power and threshold, ``val`` or ``train``; another one than ``split``.
        tune_cams: as ``cams``, of that split.
        tune_saliency: as ``saliency``, of that split.
        powers: powers to try.
        thresholds: least background scores to try, rising; by default .05 to .75, and 0 where there is saliency.
        crf: False for none, True for a CRF on the probabilities with the papers' numbers, or the entries that differ.
            Power and threshold are tuned without it.
        labels: ``image`` restricts an image to the classes it is labelled with, ``maps`` to those that have a map.
        seed: folder of another ``PseudoMasks`` stage of this split, to be shown on the contact sheet.
        cues: folder of a ``BackgroundCues`` stage of this split, likewise.
        workers: images at a time, each in a thread.
        sheet: images on the contact sheet.
        options: entries of the configuration to change, by dotted name.

    Raises:
        ConfigError: a choice is unknown, out of range, or would tune on the split that is scored or on test.
    """

    def __init__(
        self,
        cams: str,
        config: str,
        split: str = "train",
        background: Background = "saliency",
        saliency: str | None = None,
        bg_power: Annotated[float, "above 0"] = 1.0,
        bg_threshold: Annotated[float, "in [0, 1)"] = 0.0,
        tune_on: str | None = None,
        tune_cams: str | None = None,
        tune_saliency: str | None = None,
        powers: Sequence[Annotated[float, "above 0"]] = POWERS,
        thresholds: Sequence[float] | None = None,
        crf: bool | Mapping[str, Any] = False,
        labels: Labels = "image",
        seed: str | None = None,
        cues: str | None = None,
        workers: int = 0,
        sheet: int = 12,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if not powers:
            raise ConfigError("powers is empty, so there is no power to try. Name one or more, or leave it out.")
        check_thresholds(thresholds)
        check_workers(workers)
        if tune_on is not None and (bg_power != 1 or bg_threshold):
            raise ConfigError(
                f"tune_on={tune_on!r} chooses bg_power and bg_threshold, but {bg_power} and {bg_threshold} are given. "
                "Leave these out, or leave out tune_on; powers=[...] and thresholds=[...] say what is tried."
            )
        if background in ("constant", "power") and tune_on is None and not bg_threshold and bg_power == 1:
            raise ConfigError(
                f"background={background!r} needs bg_threshold=... (or bg_power=...), or tune_on='val' to choose it."
            )
        super().__init__(config, split, options)
        self.images = LabelledImages(self.config, split, cams, background, saliency, labels, self.options)
        self.tuned_on = tuning_images(self.images, tune_on, tune_cams, tune_saliency)
        self.power, self.threshold, self.powers = float(bg_power), float(bg_threshold), tuple(powers)
        self.thresholds = tuple(thresholds or (THRESHOLDS if background == "constant" else (0.0, *THRESHOLDS)))
        self.crf = crf_settings(crf, ON_PROBABILITIES)
        self.seed, self.cues, self.workers, self.sheet = seed, cues, workers, sheet

    def reads(self) -> list[str | None]:
        """Return the folders of class maps, saliency and what else is shown."""
        tuned = [] if self.tuned_on is None else [self.tuned_on.cams, self.tuned_on.saliency]
        return [self.images.cams, self.images.saliency, self.seed, self.cues, *tuned]

    def run(self, folder: Path, resume: bool) -> dict[str, float]:
        """Write the masks; return the number of images, the share of their foreground and what was tuned.

        Raises:
            DataError: maps or saliency of an image are missing, or splits share images.
            MapError: class maps are none.
        """
        tuned = self.tune(folder, resume)
        power, threshold = (self.power, self.threshold) if tuned is None else (tuned.power, tuned.threshold)
        ids = self.images.image_ids
        files = [path_below(folder / MASKS, name, ".png") for name in ids]
        settings = {
            "split": self.images.split,
            "background": self.images.background,
            "bg_power": power,
            "bg_threshold": threshold,
            "selection": "given" if tuned is None else tuned.words,
            "labels": self.images.labels,
            "crf": None if self.crf is None else asdict(self.crf),
            "classes": list(self.images.dataset.classes),
        }
        write_json(folder / SETTINGS, settings)
        todo = [index for index, path in enumerate(files) if not (resume and path.exists())]
        arguments = (self.images, power, threshold, self.crf, folder)
        run_jobs(mask_job, arguments, todo, self.workers, "pseudo masks")
        shares = [float((read_index_mask(path) > 0).mean()) for path in files]
        self.draw(folder, files)
        found = {
            "images": float(len(files)),
            "foreground in %": check_share(shares, "the pseudo masks", ADVICE),
            "bg_power": power,
            "bg_threshold": threshold,
        }
        return found if tuned is None else found | {f"mIoU on {tuned.split}": tuned.miou}

    def tune(self, folder: Path, resume: bool) -> Tuned | None:
        """Choose power and threshold on the named split and write down what was tried, or return None without one.

        Raises:
            DataError: the two splits share images.
        """
        if self.tuned_on is None:
            return None
        path = folder / TUNING
        if resume and path.exists():
            return read_tuned(path)
        shared = set(self.images.image_ids) & set(self.tuned_on.image_ids)
        if shared:
            raise DataError(
                f"Split {self.tuned_on.split!r} to tune on and split {self.images.split!r} share {len(shared)} images, "
                f"such as {min(shared)!r}: the numbers would be chosen on what they are scored on. Take another split."
            )
        tuned = tune_background(self.tuned_on, self.powers, self.thresholds, self.workers)
        write_json(path, asdict(tuned))
        return tuned

    def draw(self, folder: Path, files: Sequence[Path]) -> None:
        """Write the contact sheet."""
        rows: list[dict[str, np.ndarray]] = []
        for index in evenly(len(files), self.sheet):
            found = self.images[index]
            highest = found.scores.max(0) if found.classes else np.zeros(found.image.shape[:2])
            row = {"image": found.image, "highest class map": np.round(255 * highest).astype(np.uint8)}
            if self.seed:
                seed = read_index_mask(path_below(Path(self.seed) / MASKS, found.image_id, ".png"))
                row["seed"] = colour_mask(seed, found.image)
            if self.cues:
                row["cue"] = read_gray(path_below(Path(self.cues) / CUES, found.image_id, ".png"), "The cue")
            if found.saliency is not None:
                row[self.images.background] = found.saliency
            rows.append(row | {"pseudo mask": colour_mask(read_index_mask(files[index]), found.image)})
        if rows:
            pictures = [picture for row in rows for picture in row.items()]
            write_contact_sheet(folder / "sheet.jpg", pictures, columns=len(rows[0]))


def check_thresholds(thresholds: Sequence[float] | None) -> None:
    """Look whether thresholds to try rise within [0, 1).

    Raises:
        ConfigError: they do not.
    """
    tried = [0.0] if thresholds is None else list(thresholds)
    if not tried or min(tried) < 0 or max(tried) >= 1 or tried != sorted(set(tried)):
        raise ConfigError(f"thresholds should be one or more rising numbers in [0, 1), but got {tried}.")


def read_tuned(path: Path) -> Tuned:
    """Read what an earlier run of this stage has tuned.

    Raises:
        DataError: the file is damaged.
    """
    try:
        tuned = Tuned(**json.loads(path.read_text("utf-8")))
        if not all(isinstance(number, (int, float)) for number in (tuned.power, tuned.threshold, tuned.miou)):
            raise ValueError(f"power, threshold and miou should be numbers: {tuned.power!r}, {tuned.threshold!r}")
        return tuned
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error}). Remove it to tune again.") from None


def tuning_images(
    images: LabelledImages, split: str | None, cams: str | None, saliency: str | None
) -> LabelledImages | None:
    """Return the images to tune on, or None where nothing is tuned.

    Raises:
        ConfigError: the split is the scored one or test, or lacks its maps.
    """
    if split is None:
        return None
    if split in ("test", images.split):
        raise ConfigError(
            f"tune_on={split!r} would choose the background on the split that is scored. Tune on another split, such "
            "as 'val', and keep test for the final numbers."
        )
    if cams is None:
        raise ConfigError(f"tune_on={split!r} needs tune_cams=..., the folder of the class maps of that split.")
    return LabelledImages(
        images.config, split, cams, images.background, saliency, images.labels, images.options, targets=True
    )


def mask_job(
    images: LabelledImages, power: float, threshold: float, settings: CrfSettings | None, folder: Path
) -> Callable[[int], None]:
    """Make the function that writes the pseudo mask of one image."""
    images = images.copy()

    def job(index: int) -> None:
        found = images[index]
        mask = pseudo_mask(found, images.background, power, threshold, settings)
        write_index_mask(path_below(folder / MASKS, found.image_id, ".png"), mask)

    return job
