"""Memory that a process shares with those it forks: the kernel copies each page that one writes to.

An idle LUNA is a dozen Python processes of two ancestors, so most of its memory is such copies.
"""

import gc

_LARGEST = 512  # bytes; larger objects are not in Python's pools
_STEP = 16  # between the size classes of the pools
_FILLED = 64 * 1024  # bytes of each size class
_BYTES_HEADER = 33
_filling: list[bytes] = []


def prepare_to_fork() -> None:
    """Leave as few pages as possible that a forked process would write to.

    The garbage collector leaves out what exists now. The free blocks between living objects are
    occupied: a child would fill them first, and copy a page for each.
    """
    gc.collect()
    sizes = range(48, _LARGEST + 1, _STEP)
    _filling.extend(bytes(size - _BYTES_HEADER) for size in sizes for _ in range(_FILLED // size))
    gc.freeze()
