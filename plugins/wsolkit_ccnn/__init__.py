"""CCNN (Wang): a second last stage with attention modulation, concatenated with stages 3 and 4."""

from wsolkit import Method, hookimpl
from wsolkit_ccnn.amm import AMM, gaussian_gate
from wsolkit_ccnn.backbone import CCNNBackbone
from wsolkit_ccnn.paper import CCNN
from wsolkit_ccnn.report_keys import report_keys

__all__ = ["AMM", "CCNNBackbone", "gaussian_gate", "report_keys"]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [AMM, CCNNBackbone]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the report behind it."""
    return [CCNN]
