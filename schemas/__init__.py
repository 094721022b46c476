"""The documents on disk: their models, their exact text, and the JSON Schemas that describe them."""
