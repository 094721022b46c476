"""What screens ask: answers as plain values, so that no screen holds SQL, paths or documents."""
