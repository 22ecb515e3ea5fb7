"""A file on its way from Telegram."""
