"""The ways in which citizens reach the bot: payload -> InboundMessage, Reply -> payload."""
