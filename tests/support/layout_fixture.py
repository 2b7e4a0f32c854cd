"""The fixture that writes tiny data sets in every layout."""

import pytest

from tests.support import layouts as writers


@pytest.fixture(scope="session")
def layouts():
    """The module that writes tiny data sets."""
    return writers
