"""tgbridge: a web service between a browser frontend and a person's Telegram Saved Messages."""

__version__ = "0.1.0"
