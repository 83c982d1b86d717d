"""The robot's side of LUNA: fetches commands, drives, reports, and stops.

INPUT   commands and the emergency stop, fetched from LUNA by long polls
OUTPUT  heartbeats, command events, stop confirmations; motion through a driver
FLOW    session -> heartbeat, stop poll, command poll -> motion controller -> driver
        -> journal -> reports

LUNA never connects to the robot. This package imports nothing of the backend.
"""

__version__ = "0.1.0"
