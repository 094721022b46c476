"""The terminal UI: screens that ask the catalog and post messages. Imports lumina_fs and schemas, nothing below."""
