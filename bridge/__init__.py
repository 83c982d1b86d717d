"""The robot's side of LUNA: asks what to do, drives, reports, and stops when told or when alone.

INPUT   commands and the emergency stop, fetched from LUNA by long polls
OUTPUT  heartbeats, command events, stop acknowledgements; motion through a driver
FLOW    session -> heartbeats + stop poll + command poll -> helm -> driver -> journal -> LUNA

LUNA never connects to the robot. This package imports nothing of the backend.
"""

__version__ = "0.1.0"
