"""Read rooms, walls, furniture and marks of a floor plan, in metres of the map.

Only the top level of the drawing is read: rooms and furniture are drawn there, ungrouped.
"""

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "ops" / "demo" / "library"
SVG = "{http://www.w3.org/2000/svg}"
FURNITURE = {"shelf", "desk", "table", "column", "kit", "soft"}

Point = tuple[float, float]
Segment = tuple[Point, Point]


@dataclass(frozen=True)
class Scale:
    """How pixels of a drawing become metres of the map; `origin` is its lower left corner."""

    origin: Point
    height_m: float
    pixels_per_metre: float

    def metres(self, x: float, y: float) -> Point:
        """Place a pixel of the drawing (y down) on the map (y up)."""
        return (
            self.origin[0] + x / self.pixels_per_metre,
            self.origin[1] + self.height_m - y / self.pixels_per_metre,
        )


@dataclass(frozen=True)
class Box:
    """An upright rectangle on the map, in metres."""

    left: float
    bottom: float
    right: float
    top: float

    def holds(self, point: Point) -> bool:
        return self.left < point[0] < self.right and self.bottom < point[1] < self.top

    def sides(self) -> list[Segment]:
        corners = [
            (self.left, self.bottom),
            (self.right, self.bottom),
            (self.right, self.top),
            (self.left, self.top),
        ]
        return list(zip(corners, [*corners[1:], corners[0]], strict=True))


@dataclass
class FloorPlan:
    """One drawing: rooms and marks by the location code that is their id."""

    rooms: dict[str, Box] = field(default_factory=dict)
    marks: dict[str, Point] = field(default_factory=dict)
    walls: list[Segment] = field(default_factory=list)
    furniture: list[Box] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def obstacles(self) -> list[Segment]:
        """Return everything that a robot must avoid, as lines."""
        return self.walls + [side for box in self.furniture for side in box.sides()]


def read(path: Path, scale: Scale) -> FloorPlan:
    """Read a floor plan; definitions (`defs`) are symbols, not furniture."""
    root = ET.parse(path).getroot()  # noqa: S314 (a file of our own, not input from outside)
    plan = FloorPlan()
    for element in root:
        classes = set(element.get("class", "").split())
        match element.tag.removeprefix(SVG):
            case "rect" if "id" in element.attrib:
                plan.rooms[element.attrib["id"]] = _box(element, scale)
            case "rect" if classes & FURNITURE:
                plan.furniture.append(_box(element, scale))
            case "path" if "wall" in classes:
                plan.walls += _lines(element.attrib["d"], scale)
            case "use" if "id" in element.attrib:
                x, y = _numbers(element.attrib["transform"])[:2]
                plan.marks[element.attrib["id"]] = scale.metres(x, y)
            case "text":
                plan.words.append("".join(element.itertext()))
    return plan


def _box(element: ET.Element, scale: Scale) -> Box:
    x, y, width, height = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
    left, top = scale.metres(x, y)
    right, bottom = scale.metres(x + width, y + height)
    return Box(left, bottom, right, top)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def _lines(path: str, scale: Scale) -> list[Segment]:
    """Read a wall's path: only absolute `M` and `L`, which keeps this parser short."""
    lines: list[Segment] = []
    for run in path.split("M")[1:]:
        numbers = _numbers(run)
        corners = [scale.metres(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        lines += pairwise(corners)
    return lines


def _to_segment(point: Point, segment: Segment) -> float:
    (ax, ay), (bx, by) = segment
    length = (bx - ax) ** 2 + (by - ay) ** 2
    along = ((point[0] - ax) * (bx - ax) + (point[1] - ay) * (by - ay)) / length
    along = min(1.0, max(0.0, along))
    return math.dist(point, (ax + along * (bx - ax), ay + along * (by - ay)))


def _side(segment: Segment, point: Point) -> float:
    (ax, ay), (bx, by) = segment
    return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)


def gap(one: Segment, other: Segment) -> float:
    """Distance in metres between two lines; 0 where they cross."""
    crosses = (
        _side(one, other[0]) * _side(one, other[1]) < 0
        and _side(other, one[0]) * _side(other, one[1]) < 0
    )
    if crosses:
        return 0.0
    return min(
        _to_segment(one[0], other),
        _to_segment(one[1], other),
        _to_segment(other[0], one),
        _to_segment(other[1], one),
    )
