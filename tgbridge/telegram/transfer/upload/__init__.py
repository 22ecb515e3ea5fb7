"""A file on its way to Telegram."""
