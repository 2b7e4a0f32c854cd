from tests.support.colours import photos, predictor, trained  # noqa: F401 - fixtures
from tests.support.three_birds import perfect, split, truth, write_npy  # noqa: F401 - fixtures
