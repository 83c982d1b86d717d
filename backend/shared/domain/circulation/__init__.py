"""Loans and holds: the queue of a title, policies and opening days."""
