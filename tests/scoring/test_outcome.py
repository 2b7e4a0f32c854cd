"""Numbers at the label-free threshold stand beside the oracle's, and nowhere else."""

from math import nan

from tests.support.peak_protocol import PeakAccumulator, PeakProtocol
from wsolkit.evaluation import Line, Result, Score
from wsolkit.evaluation.results import FIXED, ORACLE
from wsolkit.scoring.outcome import with_label_free


class Sweeping(PeakProtocol):
    """Has a number at the threshold it is given, or the oracle's, and says nothing of its conventions."""

    sweeps = True

    def result(self, accumulator, threshold=None):
        line = Line(
            "hits", Score(50.0, 2, nan, nan), threshold=threshold, selection=ORACLE if threshold is None else FIXED
        )
        return Result(self.name, (line,))


class Untouched(Sweeping):
    """Has a number that no threshold changes, as the maximum of a map."""

    def result(self, accumulator, threshold=None):
        return Result(self.name, (Line("hits", Score(50.0, 2, nan, nan)),))


def test_a_number_that_no_threshold_changes_stays_alone():
    protocol, own = Untouched(), PeakAccumulator()
    found = with_label_free(protocol.result(own), protocol, own, 0.3)
    assert found == protocol.result(own)


def test_the_oracle_s_number_is_told_beside_the_label_free_one_without_any_conventions():
    protocol, own = Sweeping(), PeakAccumulator()
    found = with_label_free(protocol.result(own), protocol, own, 0.3)
    assert [(line.selection, line.threshold) for line in found.lines] == [("label-free", 0.3), (ORACLE, None)]
    assert found.conventions == {"threshold selection": "label-free (from the maps alone)"}
