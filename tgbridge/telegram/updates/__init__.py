"""What Telegram tells unasked, in its order (https://core.telegram.org/api/updates)."""
