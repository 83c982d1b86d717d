"""Pytest plugin `-p ops.pytest_forks`: `--forks N` runs the tests in N forks of this process.

The tests are collected, and what they import is imported, once for all forks. A fork that is free
takes the next part of the tests; this process reports their results.
"""

import os
import sys
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from tempfile import TemporaryFile
from typing import Any, NoReturn

import pytest

from ops.pytest_markers import part_of

NUMBER = "LUNA_TEST_FORK"  # the environment's name of a fork's number, from 0
Part = range  # positions in the list of tests


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forks", type=int, default=1, help="processes that run the tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the collected tests in forks; leave a single one, and failed collections, to pytest."""
    option = session.config.option
    if option.forks == 1 or option.collectonly or session.testsfailed or not session.items:
        return None
    running: dict[Connection, str] = {}  # the test that the fork at the other end runs
    try:
        _start(session, running)
        _distribute(session, running)
    finally:
        for channel in running:
            channel.close()  # a fork that is still at work stops after its test
        for _ in range(option.forks):
            os.wait()
    return True


def _start(session: pytest.Session, running: dict[Connection, str]) -> None:
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001 (made once; it has no name of its own)
    for number in range(session.config.option.forks):
        ours, its = Pipe()
        session.config.get_terminal_writer().flush()
        if os.fork() == 0:
            for channel in (*running, ours):  # else no fork would see the end of this process
                channel.close()
            _be_fork(session, number, its)
        its.close()
        running[ours] = "the first test"


def _distribute(session: pytest.Session, running: dict[Connection, str]) -> None:
    left = deque(_parts(session.items))
    while running:
        for channel in wait(list(running)):
            assert isinstance(channel, Connection)
            try:
                kind, content = channel.recv()
            except EOFError:
                session.shouldfail = f"a fork ended in {running.pop(channel)}"
                raise session.Failed(session.shouldfail) from None
            if kind == "next":
                channel.send(left.popleft() if left else None)
            elif kind == "running":
                running[channel] = content
            elif kind == "report":
                _report(session, content)
            else:
                _end(kind, content, running.pop(channel))
                channel.close()


def _report(session: pytest.Session, data: dict[str, Any]) -> None:
    hook = session.config.hook
    report = hook.pytest_report_from_serializable(config=session.config, data=data)
    hook.pytest_runtest_logreport(report=report)
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _end(kind: str, content: Any, test: str) -> None:
    if kind == "exit":
        pytest.exit(content[0], returncode=content[1])
    if kind == "error":
        message = f"in {test}:\n{content}"
        raise RuntimeError(message)


def _parts(items: Sequence[pytest.Item]) -> Iterator[Part]:
    numbered = enumerate(part_of(item.nodeid) for item in items)
    for _, part in groupby(numbered, key=lambda pair: pair[1]):
        positions = [position for position, _ in part]
        yield range(positions[0], positions[-1] + 1)


# --- in a fork ----------------------------------------------------------------------------------


class _Reporter:
    """Sends the results of a fork's tests to the process that reports them."""

    def __init__(self, config: pytest.Config, channel: Connection) -> None:
        self._config, self._channel = config, channel

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        hook = self._config.hook
        data = hook.pytest_report_to_serializable(config=self._config, report=report)
        self._channel.send(("report", data))


def _be_fork(session: pytest.Session, number: int, channel: Connection) -> NoReturn:
    """Run parts of the tests until none is left; then end without what the process registered."""
    last: tuple[str, Any] = ("done", None)
    try:
        _prepare(session.config, number, channel)
        try:
            _work(session, channel)
        finally:
            session._setupstate.teardown_exact(None)  # noqa: SLF001 (what an interrupt left set up)
        session.config._ensure_unconfigure()  # noqa: SLF001 (reports what was never closed)
    except (OSError, EOFError, KeyboardInterrupt):  # the reporting process stopped
        last = ("error", traceback.format_exc())
    except pytest.exit.Exception as exited:
        last = ("exit", (exited.msg, exited.returncode))
    except BaseException:  # noqa: BLE001 (whatever it is, the reporting process raises it)
        last = ("error", traceback.format_exc())
    try:
        channel.send(last)
    finally:
        sys.stdout.flush()
        os._exit(0)


def _prepare(config: pytest.Config, number: int, channel: Connection) -> None:
    os.environ[NUMBER] = str(number)
    plugins = config.pluginmanager
    plugins.unregister(name="terminalreporter")
    plugins.register(_Reporter(config, channel))
    _capture_apart(plugins.getplugin("capturemanager"))
    folders = config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001 (see _start)
    folders._basetemp = folders.mktemp(f"fork-{number}", numbered=False)  # noqa: SLF001 (likewise)


def _capture_apart(capture: Any) -> None:
    """Give the captured output files of its own: all forks would write to one at one position.

    The streams stay, which imported modules may hold.
    """
    streams = capture._global_capturing  # noqa: SLF001 (there is no other way to them)
    for stream in (streams.out, streams.err):
        if hasattr(stream, "tmpfile"):  # not with -s
            with TemporaryFile(buffering=0) as file:
                os.dup2(file.fileno(), stream.tmpfile.fileno())


def _work(session: pytest.Session, channel: Connection) -> None:
    part = _next(channel)
    while part is not None:
        following = None
        for position in part:
            if position == part[-1]:
                following = _next(channel)
                after = following[0] if following else None
            else:
                after = position + 1
            _run(session, position, after, channel)
        part = following


def _next(channel: Connection) -> Part | None:
    channel.send(("next", None))
    part: Part | None = channel.recv()
    return part


def _run(session: pytest.Session, position: int, after: int | None, channel: Connection) -> None:
    item = session.items[position]
    channel.send(("running", item.nodeid))
    session.config.hook.pytest_runtest_protocol(
        item=item, nextitem=None if after is None else session.items[after]
    )
