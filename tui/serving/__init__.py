"""The app in a browser: textual-serve behind a guard. Needs the extra `web`; only `lumina serve` loads it."""
