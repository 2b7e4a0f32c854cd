"""What a check of data sets found: problems, a table of them, and an exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wsolkit.errors import printable

__all__ = ["Problem", "Report", "SplitCounts"]

EXAMPLES = 3
STYLES = {"error": "red", "warning": "yellow"}


@dataclass(frozen=True)
class Problem:
    """One kind of problem in one split.

    Attributes:
        severity: ``error`` (training or evaluation would be wrong or stop) or ``warning`` (worth a look).
        split: the split, or two with a comma between them.
        what: the kind of problem.
        examples: every place it was found.
    """

    severity: str
    split: str
    what: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = "; ".join(self.examples[:EXAMPLES])
        more = f"; and {len(self.examples) - EXAMPLES} more" if len(self.examples) > EXAMPLES else ""
        return f"{self.severity}: {self.split}: {self.what} ({len(self.examples)}): {shown}{more}"


@dataclass(frozen=True)
class SplitCounts:
    """How much there is of one split: images, classes that have images of all classes, boxes, images with a mask."""

    images: int
    classes_with_images: int
    classes: int
    boxes: int
    masks: int


@dataclass
class Report:
    """The result of a check.

    Attributes:
        counts: how much there is of each split.
        problems: what is wrong.
        read: how folders were understood, in words.

    >>> report = Report({}, [Problem("error", "train", "images that cannot be read", ("a.jpg",))])
    >>> report.exit_status
    1
    >>> print(report)
    error: train: images that cannot be read (1): a.jpg
    """

    counts: dict[str, SplitCounts] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """0 without errors (warnings are allowed), else 1."""
        return int(any(problem.severity == "error" for problem in self.problems))

    def add(self, severity: str, split: str, what: str, examples: Sequence[str]) -> None:
        """Note a problem, unless there are no examples of it."""
        if examples:
            self.problems.append(Problem(severity, split, what, tuple(examples)))

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems)) or "No problems found."

    def render(self, console: Console | None = None) -> None:
        """Print the counts and the problems as tables, and below them whole the first places of each problem."""
        console = console or Console()
        for line in self.read:
            console.print(Text(line, overflow="fold"))
        if self.counts:
            console.print(self.table_of_counts())
        if not self.problems:
            console.print(Text("No problems found.", style="green"))
            return
        problems = sorted(self.problems, key=lambda problem: problem.severity)
        console.print(self.table_of_problems(problems))
        for problem in problems:
            console.print(Text(f"{problem.split}: {problem.what}", style=STYLES[problem.severity]), soft_wrap=True)
            lines = [*problem.examples[:EXAMPLES]]
            if len(problem.examples) > EXAMPLES:
                lines.append(f"and {len(problem.examples) - EXAMPLES} more")
            for line in lines:  # a path that is broken over lines or cut off is of no use
                console.print(Text(f"  {printable(line)}"), soft_wrap=True)

    def table_of_counts(self) -> Table:
        """Return how much there is of each split."""
        counts = Table("split", "images", "classes with images", "boxes", "masks", title="Data")
        for split, n in self.counts.items():
            found = f"{n.classes_with_images} of {n.classes}"
            counts.add_row(split, str(n.images), found, str(n.boxes), str(n.masks))
        return counts

    def table_of_problems(self, problems: Sequence[Problem]) -> Table:
        """Return how many there are of each problem."""
        severities = Counter(problem.severity for problem in problems)
        title = f"{severities['error']} kinds of errors, {severities['warning']} kinds of warnings"
        table = Table("", "split", "problem", "count", title=title)
        for problem in problems:
            style = STYLES[problem.severity]
            table.add_row(Text(problem.severity, style=style), problem.split, problem.what, str(len(problem.examples)))
        return table
