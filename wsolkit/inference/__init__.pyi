from .predictor import (
    Predictor as Predictor,
)
from .to_folder import (
    predict_to_folder as predict_to_folder,
)
