"""Readers of files, as for transfers: what connections do for files shows by what comes over them."""

from __future__ import annotations

from tests.telegram.transfer.conftest import make_reader, reader

__all__ = ["make_reader", "reader"]
