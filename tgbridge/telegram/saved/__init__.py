"""Saved Messages: what a message holds, and how a file becomes one."""
