"""What tests of forms need of those of the routes that take them."""

from __future__ import annotations

from tests.web.routes.conftest import account, nothing_of_uploads_is_left, signed_in_to, until

__all__ = ["account", "nothing_of_uploads_is_left", "signed_in_to", "until"]
