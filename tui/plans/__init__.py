"""What the screen of plans is made of."""
