"""TCP ports for tests, below the range of outgoing connections."""

import itertools
import os
import socket

from tests.conftest import worker_number

_FIRST, _COUNT = 20000, 1000  # each pytest worker has a range of its own
# Two runs at the same time begin at different ports, so that neither takes what the other found.
_offsets = itertools.cycle((os.getpid() + number) % _COUNT for number in range(_COUNT))


def free_port() -> int:
    """Return a free port that this run has not used for long."""
    for offset in itertools.islice(_offsets, _COUNT):
        port = _FIRST + worker_number() * _COUNT + offset
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
