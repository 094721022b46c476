"""The daemon: keeps sidecars and index true while files change. It is only ever a faster scan."""
