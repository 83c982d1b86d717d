"""Tells people what happens: notifications and the live view."""
