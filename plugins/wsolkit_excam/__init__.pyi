from .average_with_first import AverageWithFirst as AverageWithFirst
from .erase_found import EraseFound as EraseFound
from .exclusive_maps import (
    ExclusiveMaps as ExclusiveMaps,
    mean_square_distance as mean_square_distance,
)
from .first_classifier import FirstClassifier as FirstClassifier
from .importance_or_drop import ImportanceOrDrop as ImportanceOrDrop
from .sequential_drop import (
    SequentialDrop as SequentialDrop,
    hard_gates as hard_gates,
    soft_gates as soft_gates,
    straight_through_gates as straight_through_gates,
)
