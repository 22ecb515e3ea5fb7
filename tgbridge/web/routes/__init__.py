"""One module per resource, thin: parse, call, answer. None of them knows Telethon."""
