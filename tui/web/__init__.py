"""The app in a browser, through textual-serve, for those who hold the key."""
