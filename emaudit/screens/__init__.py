"""One module per screen or dialog. They draw the app's snapshot and post what the user wants."""
