"""The notification service: notifications and the live view."""
