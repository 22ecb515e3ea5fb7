"""MTProto 2.0 as a server speaks it: framing, keys, encryption, sessions, connections."""
