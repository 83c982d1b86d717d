"""The command-line options of the driver nav2."""

from argparse import ArgumentParser, Namespace

from bridge.drivers.base import Driver


def add(run: ArgumentParser) -> None:
    group = run.add_argument_group("nav2", "where the ROS map lies on LUNA's map; limits")
    group.add_argument("--map-x", type=float, default=0.0, help="of its origin, metres")
    group.add_argument("--map-y", type=float, default=0.0, help="of its origin, metres")
    group.add_argument("--map-theta", type=float, default=0.0, help="of its x axis, radians")
    group.add_argument("--map-floor", type=int, default=1, help="floor of the map")
    group.add_argument("--max-speed", type=float, default=0.26, help="metres per second")
    group.add_argument("--hardware-stop-topic", help="std_msgs/Bool, true while pressed")


def make(options: Namespace) -> Driver:
    """Connect to ROS; RosMissingError when it is not installed."""
    from bridge.drivers.nav2 import ros
    from bridge.drivers.nav2.alignment import Alignment
    from bridge.drivers.nav2.driver import Limits, Nav2Driver

    navigator, base = ros.connect(options.hardware_stop_topic)
    alignment = Alignment(options.map_x, options.map_y, options.map_theta, options.map_floor)
    return Nav2Driver(navigator, base, alignment, Limits(max_speed=options.max_speed))
