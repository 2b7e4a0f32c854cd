"""``--cfg-options``: entries of the configuration, as every command that reads one takes them."""

from __future__ import annotations

import argparse

__all__ = ["add_config_options"]


def add_config_options(parser: argparse._ActionsContainer, example: str = "") -> None:
    """Add the option; given several times, all its entries count, and of two for one name the last."""
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help=f"entries of the configuration to change{example and f', such as {example}'}",
    )
