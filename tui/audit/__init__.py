"""The screen of the audit in parts: its two tabs."""
