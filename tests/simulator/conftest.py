"""One town and one application per test; time stands still until the test moves it."""

from collections.abc import Iterator

import pytest

from tests.simulator.application import Application
from tests.simulator.town import Town


@pytest.fixture
def application() -> Iterator[Application]:
    with Application() as running:
        yield running


@pytest.fixture
def town(application: Application) -> Iterator[Town]:
    town = Town(application)
    with town.simulator:
        yield town
    assert all(one.is_signed for one in application.received), "an unsigned webhook"
