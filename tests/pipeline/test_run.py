"""Runs of pipelines: what is skipped, taken up again, refused, and done anew."""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from mmengine.registry import DefaultScope

from tests.support import tiny_stages
from tests.support.tiny_stages import files, kinds, run, stage
from wsolkit import ConfigError, DataError, PluginError, WsolkitError
from wsolkit.lock import locked
from wsolkit.pipeline import records, run_pipeline
from wsolkit.pipeline.isolation import isolated
from wsolkit.pipeline.states import states_of

STAGES = [stage("one", text="1"), stage("two", text="2"), stage("both", "Copy", sources=["{one}", "{two}"])]


def whys(pipeline):
    return {state.step.name: "; ".join(state.why) for state in states_of(pipeline.steps) if state.why}


def test_stages_run_in_order_and_are_skipped_when_done(pipeline, log, tmp_path):
    said = []
    found = run_pipeline(pipeline(*STAGES), tell=said.append)
    assert log() == ["one fresh 3", "two fresh 3", "both fresh"]
    assert said == ["[1/3] one (Say) ...", "[2/3] two (Say) ...", "[3/3] both (Copy) ..."]
    assert [(each.name, each.state, each.numbers) for each in found][2] == ("both", "done", {"texts": 6.0})
    assert found[2].folder == tmp_path / "work" / "both"
    text = (tmp_path / "work" / "both" / "all.txt").read_text()
    assert [line.split()[0] for line in text.splitlines()] == ["1", "1", "1", "2", "2", "2"]
    said.clear()
    again = run_pipeline(pipeline(*STAGES), tell=said.append)
    assert said[0] == "[1/3] one (Say): done before, skipped."
    assert [each.state for each in again] == ["done before"] * 3
    assert again[2].numbers == {"texts": 6.0}
    assert again[0].seconds == found[0].seconds
    assert len(log()) == 3
    assert kinds(pipeline(*STAGES)) == ["done"] * 3


def test_the_record_says_what_made_the_result(pipeline, tmp_path):
    outside = tmp_path / "list.txt"
    outside.write_text("12345")
    run(
        pipeline(
            stage("one", text="1", files=[str(outside)], declared={"x": (1, 2)}), stage("b", "Copy", sources=["{one}"])
        )
    )
    record = json.loads((tmp_path / "work" / "one" / "stage.json").read_text())
    assert record["type"] == "Say"
    assert record["arguments"] == {"text": "1", "files": [str(outside)], "declared": {"x": [1, 2]}}
    assert record["settings"] == {"declared": {"x": [1, 2]}}
    assert record["inputs"] == {str(outside): [5, outside.stat().st_mtime_ns]}
    assert record["numbers"] == {"files": 3.0}
    assert record["seconds"] >= 0
    assert {"wsolkit", "torch", "python"} <= set(record["versions"])
    later = json.loads((tmp_path / "work" / "b" / "stage.json").read_text())
    assert later["arguments"] == {"sources": ["{one}"]}
    assert later["builds_on"] == {"one": record["fingerprint"]}
    assert later["runs"] == {"one": record["run"]}
    assert not list((tmp_path / "work").rglob("begun.json"))


def test_a_moved_folder_is_still_fresh(pipeline, tmp_path, log):
    run(pipeline(*STAGES))
    (tmp_path / "work").rename(tmp_path / "moved")
    assert kinds(pipeline(*STAGES, work="moved")) == ["done"] * 3


def test_until_runs_no_further(pipeline, log):
    run(pipeline(*STAGES), until="two")
    assert log() == ["one fresh 3", "two fresh 3"]
    assert kinds(pipeline(*STAGES)) == ["done", "done", "to do"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"text": "7"}, "text was '1' and is '7'"),
        ({"count": 2}, "count is 2 and was not set"),
        ({"declared": {"model": {"width": 8}}}, "declared.model.width was 4 and is 8"),
        ({"kind": "Copy", "sources": []}, "its type was Say and is Copy; .*sources is"),
    ],
)
def test_a_changed_argument_is_named_and_nothing_runs(pipeline, log, tmp_path, change, why):
    before = {"text": "1", "declared": {"model": {"width": 4}}}
    run(pipeline(stage("one", **before), *STAGES[1:]))
    kept = files(tmp_path / "work")
    options = {**before, **change} if "kind" not in change else change
    changed = pipeline(stage("one", **options), *STAGES[1:])
    assert kinds(changed) == ["stale", "done", "stale"]
    with pytest.raises(
        ConfigError, match=f"stage 'one': .*work/one holds a result of other settings: .*{why}"
    ) as caught:
        run(changed)
    assert "Stale as well: 'both'" in str(caught.value)
    assert "Choose another --work-dir to keep it, or add --overwrite" in str(caught.value)
    assert whys(changed)["both"] == "stage 'one', which it builds on, has changed"
    assert len(log()) == 3
    assert files(tmp_path / "work") == kept


def test_many_changes_are_cut(pipeline):
    run(pipeline(stage("one", declared={str(number): 0 for number in range(6)})))
    found = whys(pipeline(stage("one", declared={str(number): 1 for number in range(6)})))["one"]
    assert found.count("was 0 and is 1") == 3
    assert found.endswith("and 3 more")


def test_overwrite_does_stale_stages_again_and_those_that_build_on_them(pipeline, log, tmp_path):
    run(pipeline(*STAGES, stage("last", "Copy", sources=["{both}"]), stage("own", text="o")))
    changed = [stage("one", text="7"), *STAGES[1:], stage("last", "Copy", sources=["{both}"]), stage("own", text="o")]
    (tmp_path / "work" / "one" / "old.txt").write_text("old")
    found = run(pipeline(*changed), overwrite=True)
    assert [each.state for each in found] == ["done", "done before", "done", "done", "done before"]
    assert log()[5:] == ["one fresh 3", "both fresh", "last fresh"]
    assert not (tmp_path / "work" / "one" / "old.txt").exists()
    assert (tmp_path / "work" / "both" / "all.txt").read_text().startswith("7 ")
    assert kinds(pipeline(*changed)) == ["done"] * 5
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == [
        "both", "last", "one", "own", "two"
    ]  # fmt: skip


def test_overwrite_keeps_what_is_not_reached(pipeline, log, tmp_path):
    run(pipeline(*STAGES))
    kept = files(tmp_path / "work" / "both")
    changed = [stage("one", "Fail", unless=str(tmp_path / "nothing")), *STAGES[1:]]
    with pytest.raises(DataError, match="stage 'one': The owl is missing"):
        run(pipeline(*changed), overwrite=True)
    assert files(tmp_path / "work" / "both") == kept


def test_a_changed_file_outside_is_named(pipeline, tmp_path):
    outside, folder = tmp_path / "list.txt", tmp_path / "photos"
    outside.write_text("a")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "1.jpg").write_text("a")
    stages = [stage("one", files=[str(outside), str(folder)]), stage("two", "Copy", sources=["{one}"])]
    run(pipeline(*stages))
    assert kinds(pipeline(*stages)) == ["done", "done"]
    os.utime(outside, ns=(1, 1))
    assert whys(pipeline(*stages)) == {
        "one": f"the file {outside} has changed", "two": "stage 'one', which it builds on, has changed"
    }  # fmt: skip
    run(pipeline(*stages), overwrite=True)
    (folder / "deep" / "2.jpg").write_text("b")
    assert whys(pipeline(*stages))["one"] == f"the file {folder} has changed"


def test_files_of_earlier_stages_are_no_outside_files(pipeline):
    found = pipeline(stage("one"), stage("two", files=["{one}/0.txt"]))
    assert found.steps[1].declaration.inputs == {}
    run(found)
    assert kinds(found) == ["done", "done"]


def test_what_builds_on_a_stage_that_was_done_again_is_stale(pipeline, tmp_path):
    run(pipeline(*STAGES))
    for path in (tmp_path / "work" / "one").iterdir():
        path.unlink()
    assert kinds(pipeline(*STAGES)) == ["to do", "done", "stale"]
    assert whys(pipeline(*STAGES)) == {"both": "stage 'one', which it builds on, is not done"}
    run(pipeline(*STAGES), until="one")
    assert whys(pipeline(*STAGES)) == {"both": "stage 'one', which it builds on, was done again since"}
    with pytest.raises(ConfigError, match="stage 'both': .*was done again since"):
        run(pipeline(*STAGES))


def test_a_failure_names_the_stage_and_the_same_call_goes_on(pipeline, log, tmp_path):
    unless = tmp_path / "owl"
    stages = [STAGES[0], stage("boxes", "Fail", unless=str(unless)), stage("last", "Copy", sources=["{one}"])]
    with pytest.raises(DataError, match=r"^stage 'boxes': The owl is missing\.$"):
        run(pipeline(*stages))
    assert kinds(pipeline(*stages)) == ["done", "begun", "to do"]
    unless.write_text("")
    said = []
    found = run_pipeline(pipeline(*stages), tell=said.append)
    assert said[1] == "[2/3] boxes (Fail): goes on where it was stopped."
    assert [each.state for each in found] == ["done before", "done", "done"]
    assert log() == ["one fresh 3", "boxes fresh", "boxes again", "last fresh"]


def test_other_errors_are_told_with_the_stage(pipeline, tmp_path):
    with pytest.raises(WsolkitError, match="stage 'a': .*nowhere/x: No such file or directory. Check the path"):
        run(pipeline(stage("a", "Fail", unless="/no/owl", error="os")))
    with pytest.raises(ZeroDivisionError) as caught:
        run(pipeline(stage("b", "Fail", unless="/no/owl", error="bug")))
    assert caught.value.__notes__ == ["(stage 'b' of the pipeline)"]
    with pytest.raises(KeyboardInterrupt):
        run(pipeline(stage("c", "Fail", unless="/no/owl", error="interrupt")))


@pytest.mark.parametrize("value", [[1], {"a": "many"}, 3])
def test_a_stage_that_returns_no_numbers(pipeline, value):
    with pytest.raises(PluginError, match="stage 'a': A stage returns named numbers"):
        run(pipeline(stage("a", "Answer", value=value)))


def test_numbers_that_are_not_finite_are_kept_as_nothing(pipeline):
    found = run(pipeline(stage("a", "Answer", value={"x": float("nan"), "y": 2}), stage("b", "Answer", value=None)))
    assert [each.numbers for each in found] == [{"x": None, "y": 2.0}, {}]
    assert kinds(pipeline(stage("a", "Answer", value={"x": float("nan"), "y": 2}))) == ["done"]


def test_a_begun_stage_of_other_settings_is_stale(pipeline, tmp_path, log):
    stages = [stage("boxes", "Fail", unless="/no/owl")]
    with pytest.raises(DataError):
        run(pipeline(*stages))
    changed = pipeline(stage("boxes", "Fail", unless=str(tmp_path / "owl")))
    (tmp_path / "owl").write_text("")
    with pytest.raises(ConfigError, match="stage 'boxes': .* unless was '/no/owl' and is"):
        run(changed)
    run(changed, overwrite=True)
    assert log() == ["boxes fresh", "boxes fresh"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_no_pipeline_made_is_never_touched(pipeline, tmp_path, overwrite, log):
    photos = tmp_path / "work" / "two" / "photos"
    photos.mkdir(parents=True)
    (photos / "1.jpg").write_text("dear")
    with pytest.raises(ConfigError, match="stage 'two': .*work/two holds files, but no pipeline made it. Nothing was"):
        run(pipeline(*STAGES), overwrite=overwrite)
    assert (photos / "1.jpg").read_text() == "dear"
    assert log() == []
    assert kinds(pipeline(*STAGES)) == ["to do", "in the way", "to do"]


def test_other_things_in_the_way(pipeline, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "one").write_text("a file")
    with pytest.raises(ConfigError, match="stage 'one': .*work/one is a file. Nothing was touched"):
        run(pipeline(*STAGES))
    (tmp_path / "log").write_text("")
    with pytest.raises(ConfigError, match="log is a file, but results are written to a folder"):
        run(pipeline(*STAGES, work="log"))


RECORDS = [
    "{", "[]", "{}", "[" * 100_000, '{"fingerprint": 3}', '{"fingerprint": "a", "run": 4}',
    '{"fingerprint": "a", "run": "b", "runs": [1]}',
    '{"fingerprint": "a", "run": "b", "numbers": {"boxes": "many"}, "seconds": 1}',
    '{"fingerprint": "a", "run": "b", "numbers": {}, "seconds": "long"}',
    '{"fingerprint": "a", "run": "b", "numbers": {}, "seconds": 1, "inputs": {"a.txt": 7}}',
]  # fmt: skip


@pytest.mark.parametrize("content", RECORDS)
def test_a_damaged_record_is_explained(pipeline, tmp_path, content):
    run(pipeline(*STAGES))
    (tmp_path / "work" / "one" / "stage.json").write_text(content)
    with pytest.raises(ConfigError, match=r"stage 'one': .*stage.json (cannot be read|is no record).* away"):
        run(pipeline(*STAGES), overwrite=True)


def test_a_stage_does_not_write_behind_a_link(pipeline, tmp_path):
    stages = [stage("one", "Fail", unless=str(tmp_path / "there"))]
    with pytest.raises(DataError, match="The owl is missing"):
        run(pipeline(*stages))
    (tmp_path / "mine").mkdir()
    (tmp_path / "work" / "one" / "maps").symlink_to(tmp_path / "mine")
    with pytest.raises(ConfigError, match="stage 'one': .*one/maps is a link, and nothing is written.*--work-dir"):
        run(pipeline(*stages))
    (tmp_path / "work" / "one" / "maps").unlink()
    (tmp_path / "there").write_text("")
    run(pipeline(*stages))


def test_a_link_is_not_followed_to_remove_results(pipeline, tmp_path):
    run(pipeline(*STAGES))
    (tmp_path / "work" / "one").rename(tmp_path / "elsewhere")
    (tmp_path / "work" / "one").symlink_to(tmp_path / "elsewhere")
    assert kinds(pipeline(*STAGES)) == ["done"] * 3
    with pytest.raises(ConfigError, match="stage 'one': .* is a link, which is not followed"):
        run(pipeline(stage("one", text="7"), *STAGES[1:]), overwrite=True)
    assert (tmp_path / "elsewhere" / "0.txt").exists()


def test_two_pipelines_do_not_share_a_folder(pipeline, processes, tmp_path):
    ready, release = processes.Event(), processes.Event()
    other = processes.Process(target=tiny_stages.hold, args=([], str(tmp_path / "work"), ready, release))
    other.start()
    assert ready.wait(60)
    try:
        with pytest.raises(ConfigError, match=rf"Another pipeline works in .*work \(process {other.pid} on .* since"):
            run(pipeline(*STAGES))
        assert kinds(pipeline(*STAGES)) == ["to do"] * 3  # looking is allowed
        run(pipeline(*STAGES, work="elsewhere"))
    finally:
        release.set()
        other.join()
    run(pipeline(*STAGES))
    with locked(tmp_path / "work"), ThreadPoolExecutor() as threads:
        again = threads.submit(run, pipeline(*STAGES))
        with pytest.raises(ConfigError, match="Another pipeline of this very process works in"):
            again.result()


def test_torchrun_is_refused(pipeline, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="A pipeline runs in one process, but torchrun started several"):
        run(pipeline(*STAGES))


def test_a_stage_draws_the_same_whether_those_before_ran_or_were_skipped(pipeline, tmp_path):
    run(pipeline(*STAGES, work="whole"))
    run(pipeline(STAGES[1], work="alone"))
    assert files(tmp_path / "whole" / "two") == files(tmp_path / "alone" / "two")


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 8, 10, 11, 12, 13])
def test_a_run_that_was_killed_at_any_file_goes_on_to_the_same_results(processes, pipeline, tmp_path, number):
    # 13 files: of each of the first two stages begun, three texts and the record; then begun, a text and the record
    run(pipeline(*STAGES, work="whole"))
    process = processes.Process(target=tiny_stages.run_and_die_at_fsync, args=(STAGES, str(tmp_path / "work"), number))
    process.start()
    process.join()
    assert process.exitcode == -9
    before = kinds(pipeline(*STAGES))
    assert before == [
        "to do" if number == 1 else "begun" if number <= 5 else "done",
        "to do" if number <= 6 else "begun" if number <= 10 else "done",
        "to do" if number <= 11 else "begun",
    ]
    run(pipeline(*STAGES))
    assert files(tmp_path / "work") == files(tmp_path / "whole")


@pytest.mark.parametrize("number", [1, 3, 6])
def test_an_overwriting_run_that_was_killed_goes_on(processes, pipeline, tmp_path, number):
    run(pipeline(*STAGES))
    changed = [stage("one", text="7"), *STAGES[1:]]
    run(pipeline(*changed, work="whole"))
    process = processes.Process(
        target=tiny_stages.run_and_die_at_fsync, args=(changed, str(tmp_path / "work"), number, True)
    )
    process.start()
    process.join()
    assert process.exitcode == -9
    run(pipeline(*changed), overwrite=True)
    assert files(tmp_path / "work") == files(tmp_path / "whole")


def test_a_removal_that_was_cut_off_is_no_result_and_goes_away(pipeline, tmp_path, monkeypatch):
    run(pipeline(*STAGES))
    changed = pipeline(stage("one", text="7"), *STAGES[1:])
    remove = records.shutil.rmtree

    def cut_off(folder, **options):
        if (folder / "stage.json").exists():
            (folder / "stage.json").unlink()
            raise KeyboardInterrupt
        remove(folder, **options)

    with monkeypatch.context() as patch:
        patch.setattr(records.shutil, "rmtree", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run(changed, overwrite=True)
    assert kinds(changed)[0] == "to do"
    run(changed, overwrite=True)
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["both", "one", "two"]


def test_a_stage_leaves_random_streams_and_switches_as_they_were(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)  # other trainings of this process may have set it
    torch.manual_seed(5)
    random.seed(5)
    expected = [torch.rand(()).item(), random.random()]
    torch.manual_seed(5)
    random.seed(5)
    before = scope_name()  # other tests may have left one
    drawn = []
    for _ in range(2):
        with isolated():
            drawn.append((torch.rand(()).item(), random.random(), torch.backends.cudnn.benchmark))
            torch.use_deterministic_algorithms(True)
            torch.backends.cudnn.benchmark = True
            torch.set_grad_enabled(False)
            DefaultScope.get_instance("a stage", scope_name="mmengine")
    assert drawn[0] == drawn[1]
    assert not drawn[1][2]
    assert [torch.rand(()).item(), random.random()] == expected
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark
    assert torch.is_grad_enabled()
    assert scope_name() == before


def scope_name():
    current = DefaultScope.get_current_instance()
    return None if current is None else (current.instance_name, current.scope_name)


def test_a_stage_that_failed_at_once_does_not_block_its_correction(pipeline, tmp_path, monkeypatch):
    def fails(self, folder, resume):
        raise DataError("There is no such file.")

    broken = [STAGES[0], stage("two", "Copy", sources=["{one}/9.txt"])]
    with monkeypatch.context() as patch:
        patch.setattr(tiny_stages.Copy, "run", fails)
        with pytest.raises(DataError, match="stage 'two': There is no such file"):
            run(pipeline(*broken))
    assert kinds(pipeline(*broken)) == ["done", "begun"]
    corrected = [STAGES[0], stage("two", "Copy", sources=["{one}"])]
    assert kinds(pipeline(*corrected)) == ["done", "to do"]
    run(pipeline(*corrected))
    assert kinds(pipeline(*corrected)) == ["done", "done"]
    (tmp_path / "work" / "two" / "stage.json").rename(tmp_path / "work" / "two" / "begun.json")
    assert kinds(pipeline(*broken)) == ["done", "stale"], "it holds a result"


def test_a_stage_is_asked_for_files_before_it_runs(pipeline, log, monkeypatch):
    def lacks(self, file, data=False):
        return f"{file} is not wanted" if data and self.text == "2" else None

    monkeypatch.setattr(tiny_stages.Say, "lacks", lacks)
    stages = [*STAGES[:2], stage("three", text="{two}/x.pth")]
    with pytest.raises(ConfigError, match="stage 'three': {two}/x.pth in its arguments will not be there: x.pth is n"):
        run(pipeline(*stages))
    assert log() == ["one fresh 3"]
