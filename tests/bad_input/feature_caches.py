"""Options of kept features that are of another kind."""

from tests.bad_input.case import Case


def trained(option):
    """Return a command that would train with an option of its feature cache."""
    return lambda folder: ["train", "cam_synthetic", "--work-dir", "w", "--cfg-options", f"feature_cache.{option}"]


CASES = [
    Case("a number as a folder", trained("folder=3"), "feature_cache.folder is the path of a folder, but got 3"),
    Case(
        "a list as a shared folder", trained("shared=[]"), r"feature_cache.shared is the path of a folder, but got \[\]"
    ),
    Case(
        "a word as gigabytes",
        trained("most_gb=x"),
        "feature_cache.most_gb should be at least 0, but got 'x'",
        always=True,
    ),
    Case("a yes as gigabytes", trained("most_gb=True"), "most_gb is a number of gigabytes, but got True"),
    Case("gigabytes below nothing", trained("most_gb=-1"), "feature_cache.most_gb should be at least 0, but got -1"),
]
