"""All that knows Telethon, and nothing that knows aiohttp."""
