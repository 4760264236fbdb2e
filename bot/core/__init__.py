"""Decisions, and nothing else: no await, clock, randomness, logging or I/O.

Time and fresh codes arrive on the event; what is to happen leaves as effects.
"""
