"""Vendors shared by the tests of a module, and the other ends of their wires."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.receivers import FakeWallet, Shop
from sandbox.vendors import Vendor


@pytest.fixture(scope="module")
def start_vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Vendor]]:
    """Start vendors; all of them end with the module."""
    started: list[Vendor] = []

    def start(name: str, config: dict[str, Any] | None = None, *more: str) -> Vendor:
        folder: Path = tmp_path_factory.mktemp(name)
        started.append(Vendor(name, folder, config, *more))
        return started[-1]

    yield start
    for vendor in started:
        vendor.end()


@pytest.fixture
def wallet() -> Iterator[FakeWallet]:
    """A wallet with 100.00 for everybody."""
    fake = FakeWallet()
    yield fake
    fake.receiver.close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A receiver of webhooks that acknowledges everything."""
    receiver = Shop()
    yield receiver
    receiver.receiver.close()
