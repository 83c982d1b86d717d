"""The navigator and the base on ROS 2 (Jazzy, TurtleBot 4). The only file that imports ROS."""

import math
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from bridge.drivers.nav2.ports import Outcome, Reading
from bridge.messages import Pose

WHEEL_RADIUS_M = 0.117  # half the distance between the wheels: turning moves them
QUEUE = 10
REQUIRED = (
    "rclpy",
    "tf2_ros",
    "nav2_simple_commander.robot_navigator",
    "turtlebot4_navigation.turtlebot4_navigator",
    "irobot_create_msgs.msg",
)


class RosMissingError(Exception):
    """A package of ROS 2 can't be imported; the text says what to install."""


def ensure_installed() -> None:
    """Raise RosMissingError, in one sentence, unless ROS 2 can be imported here."""
    for name in REQUIRED:
        try:
            import_module(name)
        except ImportError as error:
            raise RosMissingError(
                f"The driver nav2 needs ROS 2 Jazzy with turtlebot4_navigation, but "
                f"{name.partition('.')[0]} cannot be imported: install "
                "ros-jazzy-turtlebot4-navigation, run `source /opt/ros/jazzy/setup.bash`, and "
                "start the bridge with the Python of the system (docs/robot.md)."
            ) from error


def _message(package: str, kind: str) -> Any:
    return getattr(import_module(package), kind)


class RosNavigator:
    """TurtleBot4Navigator; used by one thread only, since each call spins its node."""

    def __init__(self) -> None:
        module = import_module("turtlebot4_navigation.turtlebot4_navigator")
        self._navigator = module.TurtleBot4Navigator()
        self._results = import_module("nav2_simple_commander.robot_navigator").TaskResult

    def go(self, poses: Sequence[Pose]) -> bool:
        goals = [
            self._navigator.getPoseStamped([pose.x, pose.y], math.degrees(pose.theta))
            for pose in poses
        ]
        self._navigator.feedback = None
        return self._navigator.goThroughPoses(goals) is not False

    def has_feedback(self) -> bool:
        return self._navigator.getFeedback() is not None

    def is_complete(self) -> bool:
        return bool(self._navigator.isTaskComplete())

    def outcome(self) -> Outcome:
        result = self._navigator.getResult()
        return Outcome(result.name) if result in set(self._results) else Outcome.UNKNOWN

    def cancel(self) -> None:
        self._navigator.cancelTask()

    def start_docking(self) -> bool:
        self._navigator.dock_send_goal()
        return bool(self._navigator.dock_goal_handle.accepted)

    def start_undocking(self) -> bool:
        self._navigator.undock_send_goal()
        return bool(self._navigator.undock_goal_handle.accepted)


class RosBase:
    """Sensors, brakes and speed limit: a node of its own, spun by a thread of its own."""

    def __init__(self, hardware_stop_topic: str | None) -> None:
        rclpy = import_module("rclpy")
        self._node = node = rclpy.create_node("luna_bridge")
        sensors = import_module("rclpy.qos").qos_profile_sensor_data
        self._twist = _message("geometry_msgs.msg", "Twist")
        self._limit = _message("nav2_msgs.msg", "SpeedLimit")
        self._stop_request = _message("irobot_create_msgs.srv", "EStop").Request
        self._velocity = node.create_publisher(self._twist, "cmd_vel", QUEUE)
        self._limits = node.create_publisher(self._limit, "speed_limit", QUEUE)
        self._stop = node.create_client(_message("irobot_create_msgs.srv", "EStop"), "e_stop")
        self._values: dict[str, Any] = {}
        self._at: dict[str, float] = {}
        self._subscribe("nav_msgs.msg", "Odometry", "odom", sensors)
        self._subscribe("sensor_msgs.msg", "BatteryState", "battery_state", sensors)
        self._subscribe("irobot_create_msgs.msg", "DockStatus", "dock_status", sensors)
        hazards = "HazardDetectionVector"
        self._subscribe("irobot_create_msgs.msg", hazards, "hazard_detection", sensors)
        self._subscribe("irobot_create_msgs.msg", "KidnapStatus", "kidnap_status", sensors)
        if hardware_stop_topic:
            self._subscribe("std_msgs.msg", "Bool", hardware_stop_topic, sensors, "button")
        tf = import_module("tf2_ros")
        self._frames = tf.Buffer()
        self._listener = tf.TransformListener(self._frames, node)
        self._executor = import_module("rclpy.executors").SingleThreadedExecutor()
        self._executor.add_node(node)
        threading.Thread(target=self._executor.spin, name="ros", daemon=True).start()

    def _subscribe(self, package: str, kind: str, topic: str, qos: Any, name: str = "") -> None:
        def receive(message: Any) -> None:
            self._values[name or topic] = message
            self._at[name or topic] = time.monotonic()

        self._node.create_subscription(_message(package, kind), topic, receive, qos)

    def read(self) -> Reading:
        pose, pose_age = self._pose()
        battery, dock = self._values.get("battery_state"), self._values.get("dock_status")
        hazards = self._hazards()
        kidnap, button = self._values.get("kidnap_status"), self._values.get("button")
        return Reading(
            pose=pose,
            pose_age=pose_age,
            speed=self._speed(),
            odometry_age=time.monotonic() - self._at.get("odom", -math.inf),
            battery=None if battery is None else float(battery.percentage),
            current=0.0 if battery is None else float(battery.current),
            docked=dock is not None and bool(dock.is_docked),
            bumper="BUMP" in hazards,
            obstacle=bool(hazards & {"STALL", "OBJECT_PROXIMITY"}),
            button=button is not None and bool(button.data),
            lifted=bool(hazards & {"WHEEL_DROP", "CLIFF"})
            or (kidnap is not None and bool(kidnap.is_kidnapped)),
        )

    def brake(self) -> None:
        self._velocity.publish(self._twist())
        self._set_stop(on=True)

    def release(self) -> None:
        self._set_stop(on=False)

    def limit_speed(self, metres_per_second: float) -> None:
        message = self._limit()
        message.percentage, message.speed_limit = False, metres_per_second
        self._limits.publish(message)

    def close(self) -> None:
        self._executor.shutdown(timeout_sec=0.2)

    def _set_stop(self, *, on: bool) -> None:
        request = self._stop_request()
        request.e_stop_on = on
        self._stop.call_async(request)

    def _speed(self) -> float:
        odometry = self._values.get("odom")
        if odometry is None:
            return 0.0
        twist = odometry.twist.twist
        linear = math.hypot(twist.linear.x, twist.linear.y)
        return float(max(linear, abs(twist.angular.z) * WHEEL_RADIUS_M))

    def _hazards(self) -> set[str]:
        vector = self._values.get("hazard_detection")
        kind = _message("irobot_create_msgs.msg", "HazardDetection")
        names = {
            getattr(kind, name): name
            for name in ("BUMP", "CLIFF", "STALL", "WHEEL_DROP", "OBJECT_PROXIMITY")
        }
        return {names.get(each.type, "") for each in vector.detections} if vector else set()

    def _pose(self) -> tuple[Pose | None, float]:
        """The robot's place on the ROS map and the age of it."""
        now = import_module("rclpy.time").Time()
        if not self._frames.can_transform("map", "base_link", now):
            return None, 0.0
        found = self._frames.lookup_transform("map", "base_link", now)
        stamp = found.header.stamp
        age = self._node.get_clock().now().nanoseconds / 1e9 - stamp.sec - stamp.nanosec / 1e9
        place, turn = found.transform.translation, found.transform.rotation
        theta = 2 * math.atan2(turn.z, turn.w)
        return Pose(place.x, place.y, theta, 1), max(0.0, age)


def connect(hardware_stop_topic: str | None = None) -> tuple[RosNavigator, RosBase]:
    """Start ROS; RosMissingError when it is not installed."""
    ensure_installed()
    import_module("rclpy").init(args=None)
    return RosNavigator(), RosBase(hardware_stop_topic)
