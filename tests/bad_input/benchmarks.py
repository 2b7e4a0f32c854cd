"""Files of benchmarks that ask for what cannot be, and commands that name nothing."""

import json

from tests.bad_input.case import Case


def benchmark(content, *more, name="table.py"):
    """Return a command that plans the benchmark of a file; nothing is run."""

    def command(folder):
        (folder / name).write_text(content)
        return ["benchmark", name, "--out", "out", "--dry-run", *more]

    return command


def occupied(folder):
    """Run a benchmark into a folder that holds something else."""
    (folder / "out").mkdir()
    (folder / "out" / "thesis.tex").write_text("mine")
    return ["benchmark", "synthetic", "--out", "out"]


def marked(content):
    """Return a command that runs a benchmark into a folder whose marker holds this."""

    def command(folder):
        (folder / "out").mkdir()
        (folder / "out" / "benchmark.json").write_text(content)
        return ["benchmark", "synthetic", "--out", "out"]

    return command


CAM = 'methods = {"CAM": "cam_synthetic"}\n'

CASES = [
    Case(
        "no such benchmark", lambda _: ["benchmark", "sinthetic"], "no benchmark named 'sinthetic'. Did you mean 'syn"
    ),
    Case("no such file", lambda _: ["benchmark", "a/b.py"], "There is no benchmark file a/b.py"),
    Case("a training", lambda _: ["benchmark", "cam_synthetic"], "There is no benchmark named 'cam_synthetic'"),
    Case(
        "a file of a training",
        benchmark('model = dict(type="Localizer")'),
        "table.py: this is no benchmark: it has no methods. It is a training: run it with `wsolkit train`",
        always=True,
    ),
    Case("a file of a pipeline", benchmark("stages = []"), "It is a pipeline: run it with `wsolkit pipeline`"),
    Case("no method", benchmark("methods = {}"), "methods names none. Write methods = "),
    Case("methods in a list", benchmark('methods = ["CAM"]'), r"methods should be a dict: .* but got \['CAM'\]"),
    Case("a misspelt name", benchmark(CAM + "seed = [1]"), "it sets 'seed', which nothing reads. Did you mean 'seeds'"),
    Case("a key of a method", benchmark('methods = {"CAM": dict(conf="x")}'), "takes no 'conf'. Did you mean 'config'"),
    Case(
        "a method of nothing", benchmark('methods = {"CAM": dict()}'), "should name one configuration or one pipeline"
    ),
    Case(
        "no such configuration",
        benchmark('methods = {"CAM": "cam_sinthetic"}'),
        "Method 'CAM': There is no configuration named 'cam_sinthetic'. Did you mean 'cam_synthetic'",
        always=True,
    ),
    Case(
        "no data to fill in",
        benchmark('methods = {"CAM": "cam_{data}"}'),
        "has {data} in it, but the file names no data",
    ),
    Case(
        "an option that leads nowhere",
        benchmark('methods = {"CAM": dict(config="cam_synthetic", options={"model.head.size": 1})}'),
        "Method 'CAM': The option model.head.size leads nowhere",
    ),
    Case(
        "a CAM method that is none",
        benchmark('methods = {"CAM": dict(config="cam_synthetic", cam_method="GradKAM")}'),
        "Method 'CAM': model.cam_method: There is no CAM method named 'GradKAM'",
    ),
    Case(
        "a pipeline as a training", benchmark('methods = {"A": "psol_synthetic"}'), "write pipeline=NAME, result=STAGE"
    ),
    Case(
        "a pipeline without a result",
        benchmark('methods = {"A": dict(pipeline="psol_synthetic")}'),
        "result names the stage of a pipeline whose results are taken, but got None",
    ),
    Case(
        "a result of no stage",
        benchmark('methods = {"A": dict(pipeline="psol_synthetic", result="combine")}'),
        "the pipeline psol_synthetic has no stage 'combine'.* Did you mean 'combined'",
    ),
    Case(
        "only for nothing", benchmark('methods = {"A": dict(config="cam_synthetic", only=["x"])}'), "is no data set or"
    ),
    Case("seeds that are none", benchmark(CAM + "seeds = [0, 0]"), "seeds should be a list of different whole numbers"),
    Case(
        "a budget of nothing", benchmark(CAM + "budget = dict(epochs=0)"), "budget.epochs should be a whole number, at"
    ),
    Case("a budget of hours", benchmark(CAM + "budget = dict(hours=3)"), "budget takes no 'hours'"),
    Case(
        "no such baseline", benchmark(CAM + 'baseline = "KAM"'), "baseline is 'KAM', which is none of the methods. Did"
    ),
    Case(
        "weights in between",
        benchmark(CAM + 'checkpoint = "mid"'),
        "checkpoint should be one of 'last', 'best', but got",
    ),
    Case(
        "a search of nothing", benchmark(CAM + "search = dict(trials=0)", "--search"), "search.trials should be a whole"
    ),
    Case(
        "a range that is none",
        benchmark('methods = {"A": dict(config="cam_synthetic", search={"optim_wrapper.optimizer.lr": "1e-5"})}'),
        "is searched in 'log 1e-5 1', 'uniform 0 1', 'integer 1 9' or a list of choices, but got '1e-5'",
    ),
    Case(
        "no such method", benchmark(CAM, "--only", "KAM"), "--only names 'KAM', which is no method of the file. Did you"
    ),
    Case(
        "a share of none", benchmark(CAM, "--job", "9/8"), "--job is which share of how many, from 1/8 to 8/8, but got"
    ),
    Case("no process", benchmark(CAM, "--jobs", 0), "--jobs is how many processes to start, but got 0"),
    Case(
        "no such variable",
        benchmark(CAM, "--cfg-options", "size=3"),
        "The option size leads nowhere: .* no such variable",
    ),
    Case("lists as data", benchmark(json.dumps([1]), name="table.yaml"), "should hold names with values at its top"),
    Case("a folder of somebody else", occupied, r"out is not empty and holds no results of ours \(no benchmark.json\)"),
    Case(
        "a marker of somebody else", marked("[1]"), "benchmark.json was not written by wsolkit benchmark", always=True
    ),
    Case("a benchmark that is fine", benchmark(CAM), "1 jobs, 0 of them done; 1 to test, 1 to train", code=0),
]
