"""Prediction: boxes for images without any, from Python (``Predictor``) or into a folder (``predict_to_folder``)."""

from wsolkit.predict.predictor import Predictor
from wsolkit.predict.results import FoundBox, ImageResult

__all__ = ["FoundBox", "ImageResult", "Predictor"]
