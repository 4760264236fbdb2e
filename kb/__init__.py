"""What the bot knows: data in YAML, its schema, its checks and the catalogue made of it.

Imports nothing else of ours.
"""
