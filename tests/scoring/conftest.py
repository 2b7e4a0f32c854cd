from tests.support.layout_fixture import layouts  # noqa: F401 - a fixture
from tests.support.micro_fixtures import micro_config  # noqa: F401 - a fixture
from tests.support.peak_protocol import peak_protocol  # noqa: F401 - a fixture
from tests.support.three_birds import perfect, split, truth, write_npy  # noqa: F401 - fixtures
