"""All that knows aiohttp: endpoints, bodies and answers, the session cookie, middleware, routes."""
