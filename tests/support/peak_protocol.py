"""A protocol as a plugin may bring one, filed for a test: how high the maps of the true classes are."""

from math import nan

import pytest

from wsolkit.evaluation import BOXES, Accumulator, Line, Protocol, Result, Score
from wsolkit.registry import PROTOCOLS


class PeakAccumulator(Accumulator):
    """Keeps the highest score of each image's map."""

    def measure(self, score_map):
        """Return the highest score."""
        return float(score_map.max())

    def compute(self):
        """Return the mean of the highest scores, in percent."""
        peaks = [peak for _, peak in self.ordered()]
        return Result("peaks", (Line("mean peak", Score(100 * sum(peaks) / len(peaks), len(peaks), nan, nan)),))


class PeakProtocol(Protocol):
    """Mean of the maps' maxima."""

    name = "mean-peak"
    summary = "mean of the maps' maxima"
    needs = frozenset({BOXES})
    sweeps = False
    by_default = False

    def make(self, num_classes):
        """Return the accumulator."""
        return PeakAccumulator()

    def measure(self, accumulator, image):
        """Measure the map of the first class."""
        return accumulator.measure(image.maps[image.present[0]])


@pytest.fixture
def peak_protocol():
    """File the protocol as a plugin's, and take it away again."""
    PROTOCOLS.names()  # plugins are found first
    PROTOCOLS.register_module(name=PeakProtocol.name, module=PeakProtocol)
    yield PeakProtocol
    PROTOCOLS.module_dict.pop(PeakProtocol.name)
