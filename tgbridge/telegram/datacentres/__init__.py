"""Telegram's data centres: where they are, what a key may do there, which connection a call takes."""
