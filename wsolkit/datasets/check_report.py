"""What a check of data sets found: problems, a table of them, and an exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = ["Problem", "Report", "SplitCounts"]

EXAMPLES = 3


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
        """Print the counts and the problems as tables."""
        (console or Console()).print(self.tables())

    def tables(self) -> RenderableType:
        """Return the counts and the problems as rich tables."""
        counts = Table("split", "images", "classes with images", "boxes", "masks", title="Data")
        for split, n in self.counts.items():
            found = f"{n.classes_with_images} of {n.classes}"
            counts.add_row(split, str(n.images), found, str(n.boxes), str(n.masks))
        read = [Text(line, overflow="fold") for line in self.read]
        severities = Counter(problem.severity for problem in self.problems)
        if not self.problems:
            return Group(*read, counts, Text("No problems found.", style="green"))
        title = f"{severities['error']} kinds of errors, {severities['warning']} kinds of warnings"
        problems = Table("", "split", "problem", "count", "examples", title=title)
        for problem in sorted(self.problems, key=lambda problem: problem.severity):
            style = "red" if problem.severity == "error" else "yellow"
            examples = [Text(example, overflow="fold") for example in problem.examples[:EXAMPLES]]
            problems.add_row(
                Text(problem.severity, style=style),
                problem.split,
                problem.what,
                str(len(problem.examples)),
                Text("\n").join(examples),
            )
        return Group(*read, counts, problems)
