"""ex-CAM: later maps of a class may not see what earlier ones found; and three more ways to larger maps."""

from wsolkit import Method, hookimpl
from wsolkit_excam.average_with_first import AverageWithFirst
from wsolkit_excam.erase_found import EraseFound
from wsolkit_excam.exclusive_maps import ExclusiveMaps, mean_cosine, mean_square_distance
from wsolkit_excam.first_classifier import FirstClassifier, predicted_classes
from wsolkit_excam.importance_or_drop import ImportanceOrDrop
from wsolkit_excam.paper import EXCAM
from wsolkit_excam.sequential_drop import SequentialDrop, hard_gates, soft_gates

__all__ = [
    "AverageWithFirst",
    "EraseFound",
    "ExclusiveMaps",
    "FirstClassifier",
    "ImportanceOrDrop",
    "SequentialDrop",
    "hard_gates",
    "mean_cosine",
    "mean_square_distance",
    "predicted_classes",
    "soft_gates",
]


@hookimpl
def wsolkit_components() -> list[type]:
    """Return what this plugin adds."""
    return [AverageWithFirst, EraseFound, ExclusiveMaps, ImportanceOrDrop, SequentialDrop]


@hookimpl
def wsolkit_methods() -> list[Method]:
    """Return the dissertation behind it."""
    return [EXCAM]
