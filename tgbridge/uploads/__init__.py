"""Uploads that outlast a request: resumable ones, and how far each has got. Knows nothing of HTTP servers."""
