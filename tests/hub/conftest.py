from tests.support.colours import trained  # noqa: F401 - a fixture
