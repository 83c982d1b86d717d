"""Signals for people who operate LUNA."""
