"""``wsolkit data check``: reads everything a configuration's data sets hold and says what is wrong with it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wsolkit.cli.config_options import add_config_options

if TYPE_CHECKING:
    from wsolkit.datasets.images import ImageDataset

__all__ = ["add_parser", "build_datasets", "run"]

SPLITS = ("train", "val", "test")


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser of ``wsolkit``."""
    parser = subparsers.add_parser("data", help="look at the data of a configuration")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="read all images, boxes and masks and report what is wrong",
        description="Read all images, boxes and masks of a configuration and report broken files, boxes outside their "
        "image, images without labels, classes without images, and images that are in two splits. The exit status is "
        "1 where there are errors, 0 where there are none or only warnings.",
    )
    check.add_argument("config", metavar="CONFIG", help="configuration file, or the name of a shipped one")
    add_config_options(check, "data_root=photos")
    check.add_argument(
        "--splits", nargs="+", choices=SPLITS, default=list(SPLITS), help="splits to check (default: all)"
    )
    check.add_argument("--workers", type=int, metavar="N", help="threads that read (default: one per core, at most 8)")
    check.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the data sets and print the report; returns the exit status."""
    from wsolkit.cli.given import check_given
    from wsolkit.config.parse import parse_options

    check_given(args.config)
    options = parse_options(args.cfg_options)

    from rich.console import Console

    from wsolkit.config.data_root import where_from
    from wsolkit.config.load import load_config
    from wsolkit.datasets.check import check_datasets
    from wsolkit.progress import progress_bar

    config = load_config(args.config, options)
    datasets, broken = build_datasets(config, args.splits)
    report = check_datasets(datasets, workers=args.workers, shows=progress_bar)
    for split, message in broken.items():
        report.add("error", split, "data sets that cannot be read", [message])
    report.render(Console())
    if broken and (told := where_from(config)):
        print(told)
    return report.exit_status


def build_datasets(config: Any, splits: list[str]) -> tuple[dict[str, ImageDataset], dict[str, str]]:
    """Build the data sets of ``<split>_dataloader`` in a configuration.

    Returns:
        The data sets by split (``train[0]``, ``train[1]`` where a wrapper joins several), and, for splits whose
        files contradict each other, the message by split.

    Raises:
        ConfigError: none of the splits is in the configuration, or a data set is misspelt.
    """
    from mmengine.registry import DefaultScope

    from wsolkit.errors import ConfigError, DataError
    from wsolkit.registry import DATASETS

    datasets: dict[str, ImageDataset] = {}
    broken: dict[str, str] = {}
    for split in splits:
        loader = config.get(f"{split}_dataloader")
        if not loader:
            continue
        try:
            with DefaultScope.overwrite_default_scope(DATASETS.scope):  # for what mmengine's wrappers build inside
                found = list(innermost(DATASETS.build(loader["dataset"])))
        except DataError as error:
            broken[split] = str(error)
            continue
        datasets |= {split if len(found) == 1 else f"{split}[{n}]": one for n, one in enumerate(found)}
    if not datasets and not broken:
        wanted = ", ".join(f"{split}_dataloader" for split in splits)
        raise ConfigError(f"The configuration has none of {wanted}. Add one, or choose other --splits.")
    return datasets, broken


def innermost(dataset: Any) -> Iterator[Any]:
    """Yield the data sets inside mmengine's wrappers (repeated, concatenated, class-balanced)."""
    inside = getattr(dataset, "datasets", None) or [getattr(dataset, "dataset", None)]
    for one in inside:
        yield from [dataset] if one is None else innermost(one)
