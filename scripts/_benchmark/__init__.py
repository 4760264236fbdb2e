"""The subcommands of ``suifawen benchmark``, one to a file; `scripts.benchmark` joins them."""
