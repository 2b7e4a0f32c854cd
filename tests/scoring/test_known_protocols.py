"""The protocols by name: a plugin's is found beside the core's, and refused in words where it lacks something."""

import pytest

from wsolkit.errors import PluginError
from wsolkit.evaluation.protocols import PROTOCOLS
from wsolkit.scoring.known_protocols import find_protocols


def test_a_plugin_s_protocol_stands_beside_the_core_s(peak_protocol):
    assert find_protocols(["PxAP"]) is PROTOCOLS
    known = find_protocols(["mean-peak"])
    assert known["mean-peak"] is peak_protocol
    assert set(PROTOCOLS) < set(known)


@pytest.mark.parametrize(
    ("lacking", "value", "words"),
    [
        ("summary", None, r"should say in a line what it measures, but its summary is None\. Set it\.$"),
        ("summary", "", "but its summary is ''"),
        ("needs", None, "should say what data it needs, but its needs are None"),
        ("needs", "boxes", "its needs are 'boxes'. Set them to a frozenset of BOXES, MASKS, LOGITS, SINGLE_LABEL"),
    ],
)
def test_a_plugin_s_protocol_that_does_not_say_what_it_is_is_refused(peak_protocol, monkeypatch, lacking, value, words):
    monkeypatch.setattr(peak_protocol, lacking, value)
    with pytest.raises(PluginError, match=words) as refused:
        find_protocols(["mean-peak"])
    assert str(refused.value).startswith("Protocol 'mean-peak' (tests.support.peak_protocol.PeakProtocol) should say")
