"""Pictures that are asked for where nothing can be drawn, or without what they need."""

import json

from tests.bad_input.case import Case


def compared(*options):
    """Return a command that compares two small runs."""

    def command(folder):
        for name in ("a", "b"):
            (folder / name).mkdir()
            result = {"metric": "M", "conventions": {}, "lines": [], "curves": {}}
            content = {"name": name, "split": "test", "images": 0, "results": [result], "trials": []}
            (folder / name / "results.json").write_text(json.dumps(content))
        (folder / "empty").mkdir()
        return ["compare", "a", "b", *options]

    return command


CASES = [
    Case(
        "masks of one run alone",
        compared("--out", "out", "--masks", "a"),
        "--masks should have a folder for each of the 2 runs, but got 1",
        always=True,
    ),
    Case(
        "true masks without masks",
        compared("--out", "out", "--true-masks", "a"),
        "true-masks are shown beside the masks of the runs. Give these with --masks",
    ),
    Case("masks without a page", compared("--masks", "a", "b"), "shown on a page. Say where .* with --out DIR"),
    Case(
        "a folder of masks that is missing",
        compared("--out", "out", "--masks", "a", "nowhere"),
        "There is no folder of masks nowhere. Give one with a PNG file for each image",
    ),
    Case(
        "folders without masks",
        compared("--out", "out", "--masks", "empty", "empty", "--true-masks", "empty"),
        "No image has a mask in every folder",
    ),
    Case(
        "panels without pictures",
        lambda folder: ["predict", "cam_synthetic", "none.pth", "photos", "--out", "out", "--panels"],
        "--panels draws beside pictures, but none are asked for. Add --draw, or --draw N",
        always=True,
    ),
]
