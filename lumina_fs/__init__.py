"""Lumina FS, a photo catalog whose truth is files that a person can read, edit, copy and back up."""

__version__ = "0.1.0"
