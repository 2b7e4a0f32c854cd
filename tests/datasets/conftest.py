from tests.support.layout_fixture import layouts  # noqa: F401 - a fixture
