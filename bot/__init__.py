"""The bot: decides (`core`), stores (`storage`), runs turns, speaks channels, serves the desk."""
