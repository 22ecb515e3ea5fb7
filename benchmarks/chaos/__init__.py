"""Everything at once, while everything fails: and then whether anything is wrong, lost, missed or left."""
