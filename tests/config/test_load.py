from pathlib import Path

import pytest

from tests.support import micro
from wsolkit.config import find as finding
from wsolkit.config.classes import fill_classes
from wsolkit.config.load import config_name, load_config
from wsolkit.errors import ConfigError
from wsolkit.plugins.methods import Method


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of shipped configurations."""
    folder = tmp_path / "configs"
    (folder / "_base_").mkdir(parents=True)
    (folder / "_base_" / "runtime.py").write_text("a = 1\n")
    (folder / "cam_micro.py").write_text(f"_base_ = {str(micro.CONFIG)!r}\n")
    monkeypatch.setattr(finding, "config_dirs", lambda: [folder])
    return folder


def load(**options):
    return load_config(micro.CONFIG, {key.replace("__", "."): value for key, value in options.items()})


def test_a_config_is_found_by_path_and_by_name(shipped):
    assert config_name(load_config("cam_micro")) == "cam_micro"
    assert load_config(shipped / "cam_micro.py").model.type == "Localizer"
    assert list(finding.config_files()) == ["cam_micro"]


def test_a_misspelt_name_is_answered_with_the_nearest(shipped):
    with pytest.raises(ConfigError, match=r"no configuration named 'cam_mikro'\. Did you mean 'cam_micro'\?"):
        load_config("cam_mikro")
    with pytest.raises(ConfigError, match=r"no configuration file some/cam_micr\.py\. Did you mean 'cam_micro'"):
        load_config("some/cam_micr.py")


def test_plugins_ship_configs_of_their_own(tmp_path, monkeypatch):
    (tmp_path / "theirs.py").write_text("a = 1\n")
    method = Method("X", "t", "a", "v", 2020, "s", config_dir=tmp_path)
    monkeypatch.setattr(finding, "load_methods", lambda: [(method, "theirs")])
    assert finding.find_config("theirs") == tmp_path / "theirs.py"


def test_shipped_configs_of_wsolkit_are_found():
    assert any((folder / "_base_" / "birds50.py").exists() for folder in finding.config_dirs())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nmodel = dict(\n", r"broken\.py:2: .*was never closed"),
        ("a = 1\nb = a +\n", r"broken\.py:2: invalid syntax: b = a \+"),
        (
            "\n_base_ = ['_base_/runtim.py']\n",
            r"broken\.py:2: _base_ names '_base_/runtim\.py'.*Did you mean 'runtime\.py'",
        ),
        ("a = 1\nb = c\n", r"broken\.py:2: NameError: name 'c' is not defined"),
        ("_base_ = 'broken.py'\n", r"broken\.py builds on itself"),
    ],
)
def test_a_broken_file_is_named_with_its_line(shipped, text, said):
    (shipped / "broken.py").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(shipped / "broken.py")
    assert "Traceback" not in str(caught.value)


def test_a_broken_base_is_named_with_its_own_line(shipped):
    (shipped / "_base_" / "runtime.py").write_text("a = 1\n\nb = undefined\n")
    (shipped / "top.py").write_text("_base_ = '_base_/runtime.py'\n")
    with pytest.raises(ConfigError, match=r"runtime\.py:3: NameError"):
        load_config(shipped / "top.py")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("modle.precision", r"no setting 'modle'\. Did you mean 'model'"),
        ("model.precison", r"no 'precison' in model\. Did you mean 'precision'"),
        ("model.backbone.widht", r"no 'widht' in model\.backbone\. Did you mean 'width'"),
        ("model.bakbone.width", r"no 'bakbone' in model\. Did you mean 'backbone'"),
        ("model.losses.3.weight", r"model\.losses is a list of 1"),
        ("train_cfg.max_epoch", r"no 'max_epoch' in train_cfg\. Did you mean 'max_epochs'"),
        ("train_dataloader.datset.seed", r"no 'datset' in train_dataloader\. Did you mean 'dataset'"),
        ("train_dataloader.dataset.num_image", r"Did you mean 'num_images'"),
        ("default_hooks.checkpont.interval", r"no 'checkpont' in default_hooks\. Did you mean 'checkpoint'"),
        ("default_hooks.checkpoint.intervall", r"Did you mean 'interval'"),
        ("optim_wrapper.optimizer.learning_rate", r"no 'learning_rate' in optim_wrapper\.optimizer"),
        ("optim_wrapper.optimiser.lr", r"Did you mean 'optimizer'"),
        ("max_epochs", r"no setting 'max_epochs'\. Did you mean 'train_cfg\.max_epochs'"),
        ("randomness.sed", r"Did you mean 'seed'"),
        ("val_evaluator.colect_device", r"Did you mean 'collect_device'"),
        ("model.precision.level", r"model\.precision is 'fp32', which has no parts"),
    ],
)
def test_a_misspelt_option_is_answered_with_the_nearest(option, said):
    with pytest.raises(ConfigError, match=said):
        load_config(micro.CONFIG, {option: 1})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("model.backbone.width", 6),
        ("model.losses.0.weight", 0.5),
        ("model.losses.0.name", "first"),
        ("model.cam_method.type", "HeadMaps"),
        ("model.compile", True),
        ("default_hooks.early.type", "EarlyStoppingHook"),
        ("default_hooks.checkpoint.keep_every", 2),
        ("optim_wrapper.clip_grad.max_norm", 2.0),
        ("optim_wrapper.paramwise_cfg.lr_mult.head", 3.0),
        ("optim_wrapper.optimizer.nesterov", True),
        ("train_dataloader.pin_memory", True),
        ("param_scheduler.eta_min", 0.1),
        ("data_root", "photos"),
        ("load_from", "a.pth"),
    ],
)
def test_options_that_lead_somewhere_are_applied(option, value):
    options = {option: value}
    if option.endswith("early.type"):
        options["default_hooks.early.monitor"] = "top1"
    node = load_config(micro.CONFIG, options)
    for segment in option.split("."):
        node = node[int(segment)] if segment.isdigit() else node[segment]
    assert node == value


def test_a_helper_variable_of_the_file_can_be_set(tmp_path):
    (tmp_path / "helped.py").write_text(
        f"_base_ = {str(micro.CONFIG)!r}\nmax_epochs = 3\ntrain_cfg = dict(max_epochs=max_epochs)\n"
    )
    assert load_config(tmp_path / "helped.py").train_cfg.max_epochs == 3
    assert load_config(tmp_path / "helped.py", {"max_epochs": 5}).train_cfg.max_epochs == 5


def test_a_helper_variable_that_nothing_reads_is_refused(tmp_path):
    (tmp_path / "helped.py").write_text(f"_base_ = {str(micro.CONFIG)!r}\nmax_epochs = 3\na, b = 1, 2\n")
    with pytest.raises(ConfigError, match=r"max_epochs sets a variable that changes nothing else.*'train_cfg\.max_epo"):
        load_config(tmp_path / "helped.py", {"max_epochs": 5})
    with pytest.raises(ConfigError, match="The option a cannot be set: .* computes it"):
        load_config(tmp_path / "helped.py", {"a": 5})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("optim_wraper = dict()", r"sets 'optim_wraper', which nothing reads. Did you mean 'optim_wrapper'"),
        ("model = dict(backbone=dict(type='MicroBakbone'))", r"model\.backbone: .*no backbone named 'MicroBakbone'"),
        ("model = dict(losses=[dict(type='CrossEntrop')])", r"model\.losses\.0: .*Did you mean .*'CrossEntropy'"),
        (
            "model = dict(head=dict(pooling=dict(type='AvgPooling')))",
            r"model\.head\.pooling: .*no pooling named 'AvgPooling'",
        ),
        ("model = dict(head=dict(drop=1))", r"model\.head: .*takes no argument 'drop'. Did you mean 'dropout'"),
        (
            "train_dataloader = dict(dataset=dict(pipeline=[dict(type='Brightn')]))",
            r"dataset\.pipeline\.0: .*'Brighten'",
        ),
        ("train_dataloader = dict(sampler=dict(shufle=True))", r"train_dataloader\.sampler: .*'shuffle'"),
        ("train_dataloader = dict(collate_fn=dict(type='collate'))", r"no function named 'collate'"),
        ("custom_hooks = [dict(type='EMAHok')]", r"custom_hooks\.0: .*Did you mean 'EMAHook'"),
        ("val_evaluator = dict(type='MicroMetrik')", r"val_evaluator: .*Did you mean 'MicroMetric'"),
        ("optim_wrapper = dict(optimizer=dict(type='SDG'))", r"optim_wrapper\.optimizer: .*'SDG'"),
        ("param_scheduler = dict(type='CosineAnealingLR')", r"param_scheduler: .*Did you mean 'CosineAnnealingLR'"),
        ("train_cfg = dict(val_intervall=2)", r"train_cfg takes no 'val_intervall'. Did you mean 'val_interval'"),
        ("default_hooks = dict(logger=dict(type='LoggerHook', intervall=1))", r"default_hooks\.logger: .*'interval'"),
    ],
)
def test_mistakes_in_the_file_are_found_before_anything_is_built(tmp_path, line, said):
    (tmp_path / "wrong.py").write_text(f"_base_ = {str(micro.CONFIG)!r}\n{line}\n")
    with pytest.raises(ConfigError, match=said):
        load_config(tmp_path / "wrong.py")


def test_data_root_and_weights_are_handed_down_where_nothing_was_set(tmp_path):
    (tmp_path / "own.py").write_text(
        f"_base_ = {str(micro.CONFIG)!r}\ndata_root = 'a'\nval_dataloader = dict(dataset=dict(data_root='own'))\n"
    )
    config = load_config(tmp_path / "own.py", {"data_root": "b", "weights": "x.safetensors"})
    assert config.train_dataloader.dataset.data_root == "b"
    assert config.val_dataloader.dataset.data_root == "own"
    assert config.model.backbone.weights == "x.safetensors"
    kept = load_config(tmp_path / "own.py", {"weights": "x", "model.backbone.weights": "y"})
    assert kept.model.backbone.weights == "y"


def test_data_root_reaches_wrapped_datasets(tmp_path):
    (tmp_path / "wrapped.py").write_text(
        f"_base_ = {str(micro.CONFIG)!r}\n"
        "inner = dict(type='MicroDataset')\n"
        "outer = dict(_delete_=True, type='RepeatDataset', times=2, dataset=inner)\n"
        "train_dataloader = dict(dataset=outer)\n"
    )
    config = load_config(tmp_path / "wrapped.py", {"data_root": "b"})
    assert config.train_dataloader.dataset.dataset.data_root == "b"
    assert "data_root" not in config.train_dataloader.dataset


def test_classes_and_their_number_come_from_the_data():
    config = fill_classes(load())
    assert config.classes == ["ant", "bee", "cat"]
    assert config.model.head.num_classes == 3
    assert fill_classes(load(classes=["a", "b"])).model.head.num_classes == 2
    with pytest.raises(ConfigError, match=r"num_classes is 7, but the training data has 3 classes \(ant"):
        fill_classes(load(model__head__num_classes=7))


def test_a_resolved_config_loads_again(tmp_path):
    config = fill_classes(load(data_root="x"))
    path = tmp_path / "config.py"
    path.write_text(config.pretty_text)
    assert fill_classes(load_config(path)).pretty_text == config.pretty_text


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("configs/*.py")), ids=lambda path: path.stem)
def test_every_shipped_config_loads(path):
    config = load_config(path)
    assert config.default_scope == "wsolkit"


def test_a_configuration_can_build_on_a_shipped_one_by_name(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text('"""Mine."""\n_base_ = [\n    "wsolkit::cam_synthetic",\n]\nmodel = dict(head=dict(form="conv"))\n')
    config = load_config(mine)
    assert config.model.head.to_dict() == {"type": "CAMHead", "form": "conv"}
    assert Path(config.filename) == mine
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py"]


def test_a_misspelt_shipped_base_is_answered_with_the_nearest(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text('_base_ = "wsolkit::cam_syntetic"\n')
    with pytest.raises(ConfigError, match="no configuration named 'cam_syntetic'.*'cam_synthetic'"):
        load_config(mine)


def test_an_error_below_a_shipped_base_keeps_its_file_and_line(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text('_base_ = [\n    "wsolkit::cam_synthetic",\n]\nvalue = 1 / 0\n')
    with pytest.raises(ConfigError, match=r"mine.py:4: ZeroDivisionError"):
        load_config(mine)


def test_a_metric_s_box_extractor_is_checked_as_one(micro_config):
    given = {"type": "LocalizationMetric", "extractor": {"type": "AllComponents", "min_area": 0.1}}
    assert micro_config(val_evaluator=given).val_evaluator.extractor.type == "AllComponents"
    given["extractor"]["min_areas"] = given["extractor"].pop("min_area")
    with pytest.raises(ConfigError, match=r"val_evaluator.extractor: box extractor AllComponents takes no argument"):
        micro_config(val_evaluator=given)


def test_without_processes_that_read_nothing_is_said_of_them(micro_config):
    loader = micro_config(**{"train_dataloader.persistent_workers": True, "train_dataloader.prefetch_factor": 4})
    assert not {"persistent_workers", "prefetch_factor"} & set(loader.train_dataloader)
    kept = micro_config(**{"train_dataloader.persistent_workers": True, "train_dataloader.num_workers": 1})
    assert kept.train_dataloader.persistent_workers
