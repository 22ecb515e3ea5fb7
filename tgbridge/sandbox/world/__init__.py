"""What Telegram knows, and keeps: accounts, messages, files, logins. Nothing of connections."""
