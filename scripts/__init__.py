"""One file for each verb of the command ``suifawen``; see `scripts.__main__`."""
