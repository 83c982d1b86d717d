"""Types of command-line arguments."""

from argparse import ArgumentTypeError
from collections.abc import Callable


def at_least(minimum: float) -> Callable[[str], float]:
    """Make a type of numbers that are not less than `minimum`."""

    def number(text: str) -> float:
        value = float(text)
        if not value >= minimum:
            raise ArgumentTypeError(f"{text} is less than {minimum}")
        return value

    return number
