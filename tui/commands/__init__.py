"""Commands that the terminal UI adds to `lumina`."""
