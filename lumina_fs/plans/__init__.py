"""What should happen to originals: proposed, shown, approved, applied, and undone."""
