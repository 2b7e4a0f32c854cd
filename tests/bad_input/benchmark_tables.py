"""Folders of a benchmark that hold something else, and seeds that are no comparison."""

import json

from tests.bad_input.case import Case


def benchmark(job, evaluation=None, *options):
    """Return a command that prints the table of a benchmark with one job."""

    def command(folder):
        place = folder / "bench" / "jobs" / "one"
        place.mkdir(parents=True)
        (place / "job.json").write_text(job if isinstance(job, str) else json.dumps(job))
        if evaluation is not None:
            (place / "results.json").write_text(json.dumps(evaluation))
        return ["compare", "bench", *options]

    return command


def seeds(*options):
    """Return a command that compares two seeds of one method."""

    def command(folder):
        for seed in (0, 1):
            (folder / str(seed)).mkdir()
            training = {"seed": seed, "configuration": "cam", "configuration_hash": "1"}
            content = {
                "name": str(seed),
                "split": "test",
                "images": 0,
                "results": [],
                "trials": [],
                "training": training,
                "checkpoint": f"{seed}/last.pth",
            }
            (folder / str(seed) / "results.json").write_text(json.dumps(content))
        return ["compare", "0", "1", *options]

    return command


CASES = [
    Case("no job has run", benchmark({"method": "CAM"}), "No job of this benchmark is finished", always=True),
    Case("a job that is no JSON", benchmark("{"), r"job.json cannot be read: .*Run the benchmark again"),
    Case("a job of nothing", benchmark([]), 'says nothing of a job: it has no "method"'),
    Case("minutes below 0", benchmark({"method": "CAM", "test_minutes": -2}), "test_minutes is a number not below 0"),
    Case("a seed of words", benchmark({"method": "CAM", "seed": "one"}), "seed is a whole number, but got 'one'"),
    Case(
        "an evaluation that is none",
        benchmark({"method": "CAM"}, {"results": 3}),
        'results.json is JSON, but no evaluation: it has no list "results"',
    ),
    Case(
        "hits of a baseline that are none",
        benchmark({"method": "CAM"}, {"results": [], "trials": [], "baseline_hits": {"blob": "012"}}),
        "baseline_hits: a baseline's hits should be 0 letters 0 or 1, one for each trial",
    ),
    Case(
        "a benchmark with names",
        benchmark({"method": "CAM"}, None, "--names", "a"),
        "bench is a benchmark, whose table is printed as it is: --names does not go with it",
    ),
    *(
        Case(
            f"a benchmark with {option}",
            benchmark({"method": "CAM"}, None, option, *value),
            f"bench is a benchmark, whose table is printed as it is: {option} does not go with it",
        )
        for option, value in (("--by-run", ()), ("--own-runs", ()), ("--overwrite", ()), ("--true-masks", ("x",)))
    ),
    Case("seeds of one method alone", seeds(), "The 2 runs are seeds of one method, cam. Add --by-run", always=True),
    Case("seeds run by run", seeds("--by-run"), "", code=0),
]
