"""The map that labels are made of: learnt where there is none yet, and cut where checked photographs say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsolkit.errors import ConfigError, nearest
from wsolkit.files import hash_file
from wsolkit.inference.predictor import Predictor
from wsolkit.labelling.checked import LookedAt
from wsolkit.labelling.cuts import CHECKED, Honest, cut_of_checked, label_free_cut, results_with_maps
from wsolkit.labelling.learn import Learnt, configured, learnt_before, publish, republish, train_map, trained, untrained
from wsolkit.labelling.methods import METHODS, choose_method, config_of
from wsolkit.labelling.own_classifier import OwnClassifier, take_over
from wsolkit.labelling.photographs import Photographs
from wsolkit.labelling.seen import Seen, seconds_each, see, waiting
from wsolkit.labelling.state import CHECKPOINT, FEATURES
from wsolkit.labelling.words import estimate_words, learnt_words
from wsolkit.model.threshold import MAPS_ALONE
from wsolkit.progress import Shows

__all__ = [
    "AUTO",
    "COMPARE",
    "Options",
    "Steps",
    "check_method",
    "configuration_of",
    "cut_by_checked",
    "learnt_map",
    "new_names",
    "settings_of_method",
]

AUTO = "auto"
COMPARE = "compare"


@dataclass(frozen=True)
class Options:
    """What decides how a folder is labelled; see ``label``."""

    method: str
    seed: int
    threshold: float | None
    cache_gb: float
    device: str | None
    classifier: OwnClassifier | None = None


def configuration_of(method: str, photographs: Photographs) -> tuple[str, str]:
    """Return the configuration that a method names, or the path that it is, and a sentence on the choice.

    Raises:
        ConfigError: it is neither.
    """
    if method == AUTO:
        several = any(len(labels) > 1 for labels in photographs.labels.values())
        chosen = choose_method(photographs.dataset.get("background", ()), several)
        return config_of(chosen.method), f"method {chosen.method}: {chosen.reason}."
    if method in METHODS:
        return config_of(method), ""
    return str(Path(method).expanduser()), ""


def check_method(method: str) -> None:
    """Look whether there is a method or a configuration file of this name.

    Raises:
        ConfigError: there is neither.
    """
    known = (AUTO, COMPARE, *METHODS)
    if method not in known and not Path(method).expanduser().is_file():
        raise ConfigError(
            f"There is no method {method!r}, nor a configuration file of that name. {nearest(method, known)}"
        )


def settings_of_method(method: str) -> dict[str, str]:
    """Return what decides about the map beside a method's name, as plain data: a digest of a configuration file.

    Raises:
        ConfigError: the file cannot be read.
    """
    if method in (AUTO, COMPARE, *METHODS):
        return {}
    try:
        return {"configuration": hash_file(Path(method).expanduser())}
    except OSError as error:
        raise ConfigError(f"--method {method} cannot be read: {error.strerror or error}. Check the file.") from error


class Steps:
    """Says which of the steps begins.

    Args:
        names: the steps in order.
        say: takes a line.
    """

    def __init__(self, names: Sequence[str], say: Callable[[str], None]) -> None:
        self.names = list(names)
        self.say = say

    def begin(self, name: str, words: str = "") -> None:
        """Say that a step begins, and what it is about."""
        number = self.names.index(name) + 1
        self.say(f"{number}/{len(self.names)} {name}{f': {words}' if words else ''}")


def new_names(learnt: Learnt | None, photographs: Photographs) -> int:
    """Return how many photographs the map was not learnt from."""
    return 0 if learnt is None else sum(name not in learnt.names for name in photographs.labels)


def foretold(predictor: Predictor, photographs: Photographs, out: Path, learns: bool) -> str:
    """Say how many photographs have no features yet, and about how long all will take, from a few of them."""
    count = waiting(predictor, photographs, out)
    if not count:
        return "done before"
    return estimate_words(seconds_each(predictor, photographs), count, learns)


def learnt_map(
    out: Path, photographs: Photographs, learnt: Learnt | None, options: Options, steps: Steps, shows: Shows
) -> tuple[Predictor, Seen]:
    """Return the map of a folder, which is learnt where there is none yet, and the photographs as it takes them."""
    new = new_names(learnt, photographs)
    if learnt is not None:
        predictor = trained(out / CHECKPOINT, None, photographs, options.threshold, options.device)
        steps.begin("features", foretold(predictor, photographs, out, False))
        seen = see(predictor, photographs, out, options.cache_gb, shows)
        steps.begin("learning", learnt_words(learnt, new))
    elif options.classifier is not None:
        steps.begin("features", f"of {options.classifier.name}; nothing is trained")
        config, source = take_over(options.classifier, photographs, out)
        predictor = trained(source, config, photographs, None, options.device)
        seen = see(predictor, photographs, out, options.cache_gb, shows)
        steps.begin("learning", "where to cut the maps")
        publish(config, photographs, out, label_free_cut(predictor, photographs, seen, shows))
        predictor = trained(out / CHECKPOINT, None, photographs, options.threshold, options.device)
    else:
        name, reason = configuration_of(options.method, photographs)
        if reason:
            steps.say(reason)
        kept = {"folder": str(out.resolve() / FEATURES), "most_gb": options.cache_gb}
        config = configured(name, photographs, options.seed, kept)
        first = untrained(config, photographs, options.device)
        steps.begin("features", foretold(first, photographs, out, True))
        seen = see(first, photographs, out, options.cache_gb, shows)
        steps.begin("learning")
        source = train_map(name, config, photographs, out)
        predictor = trained(source, config, photographs, None, options.device)
        seen = see(predictor, photographs, out, options.cache_gb)  # nothing is computed where the backbone has stayed
        publish(config, photographs, out, label_free_cut(predictor, photographs, seen, shows))
        predictor = trained(out / CHECKPOINT, None, photographs, options.threshold, options.device)
    return predictor, Seen(photographs, predictor, seen.features)


def cut_by_checked(
    out: Path, photographs: Photographs, seen: Seen, predictor: Predictor, looked_at: LookedAt, options: Options
) -> tuple[Predictor, Honest | None]:
    """Let checked photographs choose the cut and say how good the boxes are; returns the map that is cut there.

    A cut that ``options`` give stays, and it is what the number is said of.
    """
    checked = looked_at.checked
    if not checked and not looked_at.rejected:
        return predictor, None
    learnt = learnt_before(out)
    free = learnt.cut if learnt is not None else None
    if free is None:  # the extractor chooses for each map, or the checkpoint is one that does not say
        free = label_free_cut(predictor, photographs, seen)
    if free is None:
        return predictor, None
    numbers = {image.image_id: number for number, image in enumerate(photographs.files)}
    results = results_with_maps(predictor, photographs, seen, [numbers[name] for name in checked])
    boxes = {name: each.boxes for name, each in checked.items()}
    rejected = {name: max(len(wrong), 1) for name, wrong in looked_at.rejected.items()}
    honest = cut_of_checked(predictor, results, boxes, free, options.threshold, rejected)
    predictor.model.head.end_pass()
    if honest is None or options.threshold is not None:
        return predictor, honest
    source = CHECKED if honest.chosen else MAPS_ALONE
    if abs(honest.cut - predictor.threshold) > 1e-6 or predictor.threshold_source != source:
        republish(out, honest.cut, source)
        predictor = trained(out / CHECKPOINT, None, photographs, None, options.device)
    return predictor, honest
