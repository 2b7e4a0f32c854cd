import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def layouts():
    """The module that writes tiny data sets; loaded by path, for tests are no package."""
    spec = importlib.util.spec_from_file_location("wsolkit_test_layouts", Path(__file__).with_name("layouts.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
