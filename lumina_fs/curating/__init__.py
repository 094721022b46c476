"""A person's changes to what they say of their photos: from words to sidecars, one by one or many as a plan."""
