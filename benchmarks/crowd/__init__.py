"""Many at once, in a process of their own."""
