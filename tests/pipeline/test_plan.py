"""What is wrong with a pipeline is said before anything runs."""

import pytest

from tests.support import micro
from tests.support.tiny_stages import plan_pipeline, stage
from wsolkit import ConfigError
from wsolkit.pipeline import load_pipeline, run_pipeline
from wsolkit.pipeline.placeholders import fill, placeholders

NO_VALIDATION = {"val_dataloader": None, "val_evaluator": None, "val_cfg": None}
TRAIN_ALONE = stage("t", "Train", config=str(micro.CONFIG), options=NO_VALIDATION)


def of_model(name, kind, **arguments):
    return stage(name, kind, **{"config": "cam_synthetic", "checkpoint": "x.pth", **arguments})


TRAINED = stage("t", "Train", config=str(micro.CONFIG))


def trained(name, kind, **arguments):
    return of_model(name, kind, config="{t}/config.py", checkpoint="{t}/last.pth", **arguments)


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([{"type": "Say"}], r"stages\[0\] \(type 'Say'\) has no name. Add name='...'"),
        ([stage("a/b")], r"stages\[0\] is called 'a/b'. A stage's name is its folder: letters, digits"),
        ([stage("..")], r"is called '..'"),
        ([stage("1st")], r"with a letter first"),
        ([stage("a"), stage("b"), stage("a")], "Two stages are called 'a'. .* rename one"),
        ([{"name": "a"}], r"stage 'a': This pipeline stage needs a type"),
        ([stage("a", "Sai")], "stage 'a': There is no pipeline stage named 'Sai'. Did you mean 'Say'"),
        ([stage("a", txt="x")], "stage 'a': pipeline stage Say takes no argument 'txt'. Did you mean 'text'?"),
        ([stage("a", "Copy")], "stage 'a': pipeline stage Copy needs 'sources', which the configuration lacks"),
        ([stage("a", count=0)], "stage 'a': count should be 1 or more, but got 0"),
        ([stage("a", count="x")], "stage 'a': Say cannot be made of .*'count': 'x'.*TypeError"),
        ([stage("a"), stage("b", text="{c}/x")], "stage 'b': {c} in its arguments is no stage. Known names: 'a'."),
        ([stage("maps"), stage("b", text="{map}/x")], "{map} in its arguments is no stage. Did you mean 'maps'?"),
        ([stage("b", text="{b}")], "stage 'b': {b} in its arguments is its own folder"),
        ([stage("b", text="{c}"), stage("c")], "stage 'b': {c} in its arguments is a later stage. Put stage .c. "),
        ([stage("b", text=["x", {"y": "{zz}"}])], "stage 'b': {zz} in its arguments is no stage"),
        ([stage("a", files=["/no/such/file"])], "stage 'a': It reads /no/such/file, but there is no such file"),
        ([stage("a", text=object())], "stage 'a': The argument text has the type object. Write texts, numbers"),
        ([stage("t", "Train", config="cam_synthetik")], "stage 't': There is no .* 'cam_synthetik'"),
        (
            [stage("t", "Train", config="cam_synthetic", options={"train_cfg.max_epoch": 1})],
            "stage 't': The option train_cfg.max_epoch leads nowhere.*Did you mean 'max_epochs'",
        ),
        ([stage("t", "Train", config="cam_synthetic", options=[1])],
         "stage 't': options should be {'dotted.name': value}"),
        (
            [of_model("m", "Maps", checkpoint="/no.pth")],
            "stage 'm': It reads /no.pth, but there is no such file",
        ),
        ([of_model("m", "Maps", which="some")], "stage 'm': which of Maps should be one of"),
        ([of_model("m", "Maps", split="tst")], "There is no split 'tst'. Did you mean"),
        (
            [
                of_model(
                    "m", "Maps",
                    options={"test_dataloader.dataset.pipeline": [{"type": "CenterCrop", "size": 64}]},
                )
            ],
            "stage 'm': The test pipeline moves boxes by more than a resize.*crops",
        ),
        ([of_model("m", "Maps", config=micro.CONFIG, split="test")], "stage 'm': .*has no test_dataloader"),
        (
            [TRAIN_ALONE, of_model("m", "Maps", config=str(micro.CONFIG), checkpoint="{t}/best.pth", split="train")],
            "stage 'm': {t}/best.pth in its arguments will not be there: the configuration has no validation.*last.pth",
        ),
        (
            [stage("t", "Train", config=str(micro.CONFIG)), stage("b", text="{t}/epoch_3.pth")],
            "stage 'b': {t}/epoch_3.pth in its arguments will not be there: default_hooks.checkpoint.keep_every is No",
        ),
        (
            [stage("t", "Train", config=str(micro.CONFIG)), stage("b", text=["{t}/latest.pth"])],
            "stage 'b': {t}/latest.pth in its arguments will not be there: a training leaves last.pth and best.pth",
        ),
        (
            [TRAINED, trained("p", "Predict", sources="*.png"), stage("b", text="{p}/boxes.json")],
            "stage 'b': {p}/boxes.json in its arguments will not be there: what is predicted lies in predictions/",
        ),
        (
            [TRAINED, trained("p", "Predict", sources="*.png"), stage("b", text="{p}/predictions/boxes.csv")],
            "will not be there: 'csv' is not among its formats",
        ),
        (
            [TRAINED, trained("s", "Test", report=False), stage("b", text="{s}/index.html")],
            "stage 'b': {s}/index.html in its arguments will not be there: a test leaves results.json",
        ),
        ([of_model("p", "Predict", sources=[])], "stage 'p': sources names no images"),
        ([of_model("p", "Predict", sources="y", formats=["coko"])], "no format 'coko'"),
        ([of_model("t", "Test", split="train")], "split of Test should be one of 'test', 'val', but got 'train'"),
        ([of_model("t", "Test", device="gpu")], "stage 't': There is no device 'gpu'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_before_anything_runs(stages, said, tmp_path, log):
    with pytest.raises(ConfigError, match=said):
        run_pipeline(plan_pipeline("toy", stages, tmp_path))
    assert log() == []
    assert [path.name for path in tmp_path.iterdir()] == []


def test_placeholders_reach_into_lists_and_dicts_and_become_absolute_paths(tmp_path):
    found = plan_pipeline("toy", [stage("a"), stage("b", text={"x": ["{a}/y", ("{a}",)], "{a}": 3})], tmp_path).steps[1]
    assert found.builds_on == ["a"]
    assert found.build().text == {"x": [f"{tmp_path}/a/y", (str(tmp_path / "a"),)], "{a}": 3}
    assert fill("{{a}} {0} {} {a", {}) == "{a} {0} {} {a"
    assert placeholders("{{a}}{b-1}{b_2}{b-1}") == ["b-1", "b_2"]


def test_a_configuration_is_a_file_and_names_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("stages = [dict(name='a', type='Say')]\n")
    found = load_pipeline("mine.py")
    assert (found.name, found.work_dir) == ("mine", tmp_path / "work_dirs" / "mine")
    (tmp_path / "mine.py").write_text("work_dir = 'here'\nstages = [dict(name='a', type='Say')]\n")
    assert load_pipeline("mine.py").work_dir == tmp_path / "here"
    assert load_pipeline("mine.py", work_dir="there").work_dir == tmp_path / "there"


def test_until_names_a_stage(pipeline):
    found = pipeline(stage("maps"), stage("boxes"))
    assert [step.name for step in found.upto("maps")] == ["maps"]
    with pytest.raises(ConfigError, match="has no stage 'boxs'. Did you mean 'boxes'"):
        found.upto("boxs")


@pytest.mark.parametrize("name", ["best.pth", "last.pth", "config.py", "epoch_4.pth", "deep/best_of_all.pth", "*.pth"])
def test_files_that_a_training_leaves_are_not_refused(name, tmp_path):
    options = {"default_hooks.checkpoint.keep_every": 2}
    stages = [stage("t", "Train", config=str(micro.CONFIG), options=options), stage("b", text=f"{{t}}/{name}")]
    assert len(plan_pipeline("x", stages, tmp_path).steps) == 2


def test_a_file_that_is_there_is_not_refused(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "best.pth").write_text("from elsewhere")
    assert len(plan_pipeline("x", [TRAIN_ALONE, stage("b", text="{t}/best.pth")], tmp_path).steps) == 2
