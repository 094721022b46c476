"""The screen of duplicates in parts: the list of groups, its filter, the batch, files side by side."""
