"""Which originals are one picture: found, told apart, grouped, and decided by a person."""
