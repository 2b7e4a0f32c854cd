"""What is asked of the network, and how long."""

import socket

import pytest
from huggingface_hub import constants

from wsolkit.components.backbones.timm_models import build_timm_model
from wsolkit.errors import CheckpointError
from wsolkit.weights import network


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """An address at which nobody listens, and an empty cache."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return address


def test_weights_without_a_network_are_refused_at_once_with_what_to_set(nobody):
    asked = []
    with network.cache_alone_without_network():
        asked.append(constants.HF_HUB_OFFLINE)
    with pytest.raises(
        CheckpointError, match=r"could not be downloaded .*set weights=PATH.*random numbers: weights=None"
    ):
        build_timm_model("test_resnet.r160_in1k", pretrained=True)
    assert (asked, constants.HF_HUB_OFFLINE) == ([True], False)


def test_an_address_that_answers_is_used(nobody, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert network.answers(address)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        with network.cache_alone_without_network():
            assert not constants.HF_HUB_OFFLINE
        monkeypatch.setenv("http_proxy", address)
        assert network.answers("http://nobody.invalid")
    assert network.answers("odd://somewhere")
