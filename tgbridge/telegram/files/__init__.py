"""Files travel on connections of their own: what is read, how it is cut, fetched, bounded and remembered."""
