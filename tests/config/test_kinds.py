"""Entries of wrong types are named with their place and how they are written."""

import pytest

from wsolkit.config.kinds import check_kinds
from wsolkit.config.load import load_config
from wsolkit.errors import ConfigError
from wsolkit.registry import BOX_EXTRACTORS, MODELS

A = {"type": "A"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"model": ["Localizer"]}, r"model should be a dict: model=dict\(\.\.\.\), but got \['Localizer'\]\."),
        ({"model": "Localizer"}, "model should be a dict"),
        ({"train_dataloader": "birds"}, "train_dataloader should be a dict: .* but got 'birds'"),
        (
            {"val_dataloader": {"dataset": [1]}},
            r"val_dataloader\.dataset should be a dict: dataset=dict\(type=\.\.\.\)",
        ),
        ({"train_dataloader": {"sampler": "shuffled"}}, r"train_dataloader\.sampler should be a dict"),
        ({"train_cfg": [3]}, "train_cfg should be a dict"),
        ({"optim_wrapper": {"optimizer": "SGD"}}, r"optim_wrapper\.optimizer should be a dict.* but got 'SGD'"),
        ({"param_scheduler": ["cosine"]}, r"param_scheduler should be a dict, or a list of dicts"),
        ({"param_scheduler": {"a": [3]}}, r"param_scheduler should be a dict, or a list of dicts"),
        ({"val_evaluator": 3}, "val_evaluator should be a dict, or a list of dicts"),
        ({"default_hooks": {"logger": 3}}, "default_hooks should be a dict of hooks"),
        ({"custom_hooks": A}, r"custom_hooks should be a list of hooks: custom_hooks=\[dict\(type=\.\.\.\)\]"),
        ({"randomness": 3}, "randomness should be a dict"),
        ({"classes": "cat"}, r"classes should be a list of names: classes=\[\"\.\.\.\", "),
        ({"classes": [["cat"]]}, "classes should be a list of names"),
        ({"weights": ["a.pth"]}, r"weights should be text: weights=\"\.\.\.\", but got \['a\.pth'\]"),
        ({"data_root": 3}, "data_root should be text"),
        ({"model": {"losses": [3]}}, r"model\.losses should be a list of dicts"),
        ({"model": {"data_preprocessor": 3}}, r"model\.data_preprocessor should be a dict"),
        ({"default_scope": "nowhere"}, "default_scope should be a package of parts, but there is none named 'nowhere'"),
        ({"custom_hooks": ["x" * 999]}, r"but got \['x{90,100}\.\.\.\.$"),
    ],
)
def test_an_entry_of_another_type_is_named(content, words):
    with pytest.raises(ConfigError, match=words):
        check_kinds(content)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"model": None, "train_cfg": None, "val_evaluator": None, "classes": None},
        {"param_scheduler": A, "val_evaluator": [A], "test_evaluator": A, "custom_hooks": []},
        {"param_scheduler": {"generator": [A], "discriminator": A}},
        {
            "default_hooks": {"checkpoint": None, "logger": A},
            "classes": ("a", "b"),
            "visualizer": {"vis_backends": [A]},
        },
        {"train_dataloader": {"dataset": object(), "sampler": None}, "model": {"losses": [object(), A]}},
    ],
)
def test_what_is_right_passes(content):
    check_kinds(content)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model = ['Localizer']", r"model should be a dict"),
        ("_base_ = 3", r"_base_ in line 1 should be one name of a file or a list of them, not 3"),
        (
            "train_cfg = dict(max_epochs=None)",
            r"train_cfg\.max_epochs should be a whole number of at least 1, but got None",
        ),
        ("randomness = dict(seed='x')", r"randomness\.seed should be a whole number of at least 0, but got 'x'"),
        ("randomness = dict(seed=2**32)", r"randomness\.seed should be below 2\*\*32, but got 4294967296"),
        (
            "optim_wrapper = dict(optimizer=dict(lr='1e-3'))",
            r"optimizer\.lr should be a number, but is the text '1e-3'\. W",
        ),
        (
            "model = dict(type=['a'])",
            r"model: The type of this model should be a name, but got \['a'\]\. Write type='NAME'",
        ),
    ],
)
def test_a_file_of_wrong_types_is_refused(tmp_path, text, words):
    (tmp_path / "a.py").write_text(text + "\n")
    with pytest.raises(ConfigError, match=words):
        load_config(tmp_path / "a.py")


def test_a_number_is_no_part():
    with pytest.raises(ConfigError, match=r"A box extractor is written as dict\(type='NAME', \.\.\.\), but got 3"):
        BOX_EXTRACTORS.build(3)
    model = object()
    assert MODELS.build(model) is model
