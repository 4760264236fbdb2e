"""The parts of ``suifawen evaluate``; `scripts.evaluate` joins them."""
