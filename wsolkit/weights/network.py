"""Whether weights can be downloaded: asked once and quickly, instead of a minute of retries."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

__all__ = ["cache_alone_without_network"]

SECONDS = 4.0
"""How long an answer may take."""

PORTS = {"http": 80, "https": 443}


@contextmanager
def cache_alone_without_network() -> Iterator[None]:
    """Let huggingface_hub look into its cache alone meanwhile, where its address does not answer at all.

    It would ask six times for each file, for more than a minute in all. With ``HF_HUB_OFFLINE=1`` nothing is asked.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or answers(constants.ENDPOINT):
        yield
        return
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = False


def answers(address: str, tries: int = 2) -> bool:
    """Whether somebody listens at an address, or at the proxy that leads there.

    >>> answers("http://127.0.0.1:9", tries=1)
    False
    """
    parts = urlsplit(address)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        place = parts.hostname or "", parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        return True  # an address that only its reader understands
    for number in range(tries):
        try:
            socket.create_connection(place, SECONDS).close()
            return True
        except OSError:
            if number + 1 < tries:
                time.sleep(0.5)
    return False
