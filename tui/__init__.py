"""The terminal UI. Its place in the layering is fixed here: it may import lumina_fs and schemas, nothing below."""
