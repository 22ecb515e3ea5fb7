"""``tgbridge doctor``: what keeps a deployment from working, and what to do about it.

Each module looks at one thing and yields findings; nothing here changes anything, but for ``live``, which
makes messages of its own in Saved Messages and removes them.
"""
