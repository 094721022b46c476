"""Screens: one file each, listed in `tui.app`."""
