from tests.support.colours import trained  # noqa: F401 - a fixture
from tests.support.micro_fixtures import micro_config  # noqa: F401 - a fixture
