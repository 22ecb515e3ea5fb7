"""How the sandbox's media files are made; see make_sandbox_media.py."""
