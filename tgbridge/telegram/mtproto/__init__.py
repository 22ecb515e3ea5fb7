"""MTProto 2.0 as a client speaks it, for file contents: one lean connection, and the creation of keys."""
