"""The screen of catalogs in parts: windows that make and delete them, numbers that come later."""
