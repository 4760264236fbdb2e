"""The subcommands of ``suifawen kb``, a few to a file; `scripts.kb` joins them."""
