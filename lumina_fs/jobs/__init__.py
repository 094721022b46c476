"""Long work with a record that other processes can read: running, asking to stop, starting again, chains, schedules."""
