"""The parts of the screen of photos: what is shown, what is selected, what is edited."""
