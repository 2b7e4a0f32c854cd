"""What people look at after an evaluation: a page of one run, and tables and a page of several side by side."""

from wsolkit.report.comparison import Comparison, compare_runs
from wsolkit.report.comparison_folder import prepare_comparison_folder
from wsolkit.report.comparison_page import write_comparison
from wsolkit.report.page import write_report
from wsolkit.report.runs import Run, read_run

__all__ = [
    "Comparison",
    "Run",
    "compare_runs",
    "prepare_comparison_folder",
    "read_run",
    "write_comparison",
    "write_report",
]
