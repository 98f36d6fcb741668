"""conftest.py: the live tests' fixtures; they stand in fixtures.py, which the browser tests share."""
from fixtures import register


def pytest_configure(config):
    register(config)
