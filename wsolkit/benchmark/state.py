"""The folder of a benchmark, known as one of ours by ``benchmark.json``."""

from __future__ import annotations

import json
from pathlib import Path

from wsolkit.benchmark.benchmark_file import Benchmark
from wsolkit.files import write_json
from wsolkit.folders import check_no_links, claim_folder, insist

__all__ = ["MARKER", "claim_benchmark"]

MARKER = "benchmark.json"
KIND = "wsolkit_benchmark"


def claim_benchmark(out: Path, benchmark: Benchmark) -> None:
    """Make a folder ready for a benchmark, or go on in it; everything that lies in it stays.

    Several processes may do so at once.

    Other settings have other folders inside, so that one folder may hold a benchmark and what it was before.

    Raises:
        ConfigError: the folder holds something else, or cannot be written to.
    """

    def lost(path: Path) -> str | None:
        if json.loads(path.read_text(encoding="utf-8"))["kind"] != KIND:
            raise ValueError("no benchmark")
        return None

    claim_folder(out, "results", MARKER, lost, writer="wsolkit benchmark")
    check_no_links(out, ("jobs", "trainings", "trials", "features"))
    insist(lambda: write_json(out / MARKER, {"kind": KIND, "name": benchmark.name}))
