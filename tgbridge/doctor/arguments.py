"""What ``tgbridge doctor`` takes on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from yarl import URL


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="instead of config.toml in this directory"
    )
    parser.add_argument(
        "--url", type=_url, help="where browsers call the service: looks at all that stands between"
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")
    parser.add_argument(
        "--live", action="store_true", help="sign in, and compare Telegram with what is believed"
    )
    parser.add_argument(
        "--test", action="store_true", help="--live on Telegram's test servers, by a test number"
    )
    parser.add_argument("--phone", metavar="NUMBER", help="--live signs in by a code to it, not by a QR code")
    parser.add_argument("--yes", action="store_true", help="--live does not ask before it begins")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="--live writes what it has seen here, without secrets"
    )
    parser.add_argument("--offline", action="store_true", help="ask Telegram nothing")


def _url(text: str) -> str:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host or url.raw_query_string or url.raw_fragment:
        raise argparse.ArgumentTypeError("must be the service's address, such as https://app.example.com/tg")
    return text
