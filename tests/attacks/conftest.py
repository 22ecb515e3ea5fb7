"""The service as an attacker meets it: with all its limits and settings as they are by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import MakeSettings
    from tgbridge.settings import Settings

APP = "https://app.example.com"


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(
        limits={"enabled": True},
        cors={"allowed_origins": [APP]},
        server={"allowed_hosts": ["127.0.0.1", "tg.example.com"]},
    )
