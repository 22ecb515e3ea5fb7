"""The bytes of files, in both directions, and the memory that they may take."""
