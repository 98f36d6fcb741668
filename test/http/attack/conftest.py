"""conftest.py: fixtures of the attack tests. The server and its clients come from fixtures.py."""
import pytest

from attacks import Watch
from people import signed_in


@pytest.fixture
def unchanged(server):
    """Fails the test when, at its end, an account, a link or a session is not as it was.

    What a test makes itself it makes before it calls unchanged.start().
    """
    watch = Watch(server)
    yield watch
    watch.judge()


@pytest.fixture(scope="session")
def victim_account(session_server):
    """One confirmed account for all attack tests, which no test may change."""
    return signed_in(session_server).person


@pytest.fixture
def victim(server, victim_account):
    """A browser-less client of the victim, with a session of its own."""
    return signed_in(server, victim_account)
