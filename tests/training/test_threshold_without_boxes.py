"""A training without any box keeps a threshold that was chosen from maps alone, and says so wherever it is used."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.support.colours import colour_model
from wsolkit.config.load_model import with_weights
from wsolkit.evaluation import LabelFreeThreshold
from wsolkit.interfaces import Prediction
from wsolkit.model.localizer import Localizer
from wsolkit.model.threshold import MAPS_ALONE, ON_VAL, choose_threshold
from wsolkit.scoring.localization_metric import LocalizationMetric
from wsolkit.training.threshold import ThresholdHook, source_of_threshold


def maps(count=12):
    """Return maps with a square at a random place."""
    rng = np.random.default_rng(0)
    found = rng.random((count, 32, 32)) * 0.4
    for each, (y, x) in zip(found, rng.integers(0, 18, (count, 2)), strict=True):
        each[y : y + 14, x : x + 14] = 0.5 + rng.random((14, 14)) / 2
    return found


def validated(logits=None):
    """Return the numbers of a validation without boxes, on images of one class."""
    metric = LocalizationMetric()
    metric.dataset_meta = {"classes": ("a", "b")}
    for number, each in enumerate(maps()):
        sample = Prediction(f"{number:02}", logits, torch.tensor([0]), torch.tensor(each)[None])
        metric.process({"labels": torch.tensor([0])}, [sample])
    return metric.evaluate(12)


def test_the_validation_chooses_from_the_maps():
    own = LabelFreeThreshold()
    for number, each in enumerate(maps()):
        own.update(f"{number:02}", each.astype(np.float32))
    assert validated() == {"label_free_threshold": own.best_threshold()}


def test_a_model_that_classifies_keeps_its_configuration_s_threshold():
    assert validated(torch.tensor([1.0, 0.0])) == {"top1": 100.0}


def test_the_hook_keeps_it_with_the_weights_and_says_how_it_was_chosen():
    model = colour_model()
    runner = SimpleNamespace(model=model, hooks=[])
    hook = ThresholdHook()
    hook.after_val_epoch(runner, {"val/label_free_threshold": 0.375})
    assert choose_threshold(model) == (0.375, MAPS_ALONE)
    assert source_of_threshold(runner) == {"threshold_source": MAPS_ALONE}
    hook.after_val_epoch(runner, {"threshold": 0.25, "label_free_threshold": 0.375})
    assert choose_threshold(model) == (0.25, ON_VAL)
    assert source_of_threshold(runner) == {}
    hook.after_val_epoch(runner, {"label_free_threshold": 0.375})
    hook.before_train_iter(runner, 0)
    assert choose_threshold(model) == (0.5, "from the configuration")
    assert source_of_threshold(runner) == {}


@pytest.mark.parametrize(("meta", "words"), [({"threshold_source": MAPS_ALONE}, MAPS_ALONE), ({}, ON_VAL)])
def test_a_checkpoint_brings_the_words(monkeypatch, meta, words):
    model = colour_model()
    model.chosen_threshold.fill_(0.375)
    built = colour_model()
    monkeypatch.setattr("wsolkit.config.load_model.MODELS.build", lambda config: built)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    loaded = with_weights({"type": "Localizer"}, Localizer, {"state_dict": state, "meta": meta}, "last.pth")
    assert choose_threshold(loaded) == (0.375, words)
