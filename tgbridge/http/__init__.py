"""HTTP's own rules as pure functions and values: no sockets, no clock, no framework, no Telegram."""
