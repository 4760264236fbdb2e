"""From a question to ranked, explained hits.

Knows nothing of chats or tickets; imports only `kb`.
"""
