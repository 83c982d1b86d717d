"""Follow a request through services, worker and bridge by its trace.

The id of the trace is the request's → a span each for the service and for the consumers of its
events → the reports on a command are a trace of their own, to which the bridge adds its span.

OpenTelemetry makes the spans of a process and sends them in the background, SQLAlchemy stores the
request's id with its events, httpx sends the bridge's span.
"""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from backend.shared.infra import config
from backend.shared.infra.telemetry import tracing
from bridge.logs import Log
from bridge.protocol import traces
from bridge.protocol.journal import Event
from tests import event_runner
from tests.scenario import start_scenario

TRACE = "0123456789abcdef0123456789abcdef"


class Span(NamedTuple):
    """A span that the collector has received."""

    service: str
    name: str
    trace: str
    parent: str
    attributes: dict[str, str]


class Collector(ThreadingHTTPServer):
    """A collector that decodes what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Span] = []
        self.bodies: list[Any] = []
        self.received = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, body: bytes) -> None:
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            own = {each.key: each.value.string_value for each in group.resource.attributes}
            for span in group.scope_spans[0].spans:
                values = {each.key: each.value.string_value for each in span.attributes}
                ids = span.trace_id.hex(), span.parent_span_id.hex()
                self.spans.append(Span(own["service.name"], span.name, *ids, values))


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] == "application/json":
            self.server.bodies.append(json.loads(body))
        else:
            self.server.add(body)
        self.send_response(200)
        self.end_headers()
        self.server.received.set()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        settings = config.ProcessSettings(traces_endpoint=server.endpoint)
        monkeypatch.setattr(config, "process", lambda: settings)
        monkeypatch.setenv(traces.ENDPOINT, server.endpoint)
        yield server
        tracing.shutdown()
        server.shutdown()
        thread.join()


def test_request_and_the_work_it_causes_are_one_trace(api: Any, collector: Collector) -> None:
    scenario = start_scenario(api)
    tracing.configure("luna")
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    headers = {"X-Request-ID": f"req_{TRACE}"}
    scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=headers)
    event_runner.run_events()
    tracing.shutdown()
    found = {span.name: span for span in collector.spans if span.trace == TRACE}
    assert {"delivery-service", "robot.dispatch", "notification.notify"} <= set(found)
    assert found["delivery-service"].attributes["http.route"] == "/api/v1/requests"
    assert found["robot.dispatch"].attributes["event.type"].startswith("delivery.")
    assert {span.parent for span in found.values()} == {TRACE[:16]}


def test_command_of_a_robot_is_a_span_of_the_trace_of_its_reports(collector: Collector) -> None:
    command = str(uuid4())
    request_id = traces.request_id(command)

    async def carry_out() -> None:
        recorder = traces.Traces(Log())
        for kind, at in (
            ("ACCEPTED", "2026-01-01T10:00:00+00:00"),
            ("FAILED", "2026-01-01T10:00:02.5+00:00"),
        ):
            recorder.record(Event(command, 1, kind, {"at": at}))
        await asyncio.to_thread(collector.received.wait, 5)

    asyncio.run(carry_out())
    [span] = collector.bodies[0]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert int(span["traceId"], 16) == tracing.trace_id(request_id)
    took = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
    assert took == 2_500_000_000
    assert span["status"] == {"code": 2}


@pytest.mark.parametrize("given", ["req_00000000-0000", "req_abc12345", f"req_{TRACE.upper()}"])
def test_other_request_id_has_a_trace_of_its_own(given: str) -> None:
    assert tracing.trace_id(given) == tracing.trace_id(given) != tracing.trace_id(f"req_{TRACE}")
    assert tracing.trace_id(given).bit_length() <= 128


def test_without_an_endpoint_nothing_is_imported(servers: dict[str, str]) -> None:
    code = (
        "import sys, backend.book.main; from backend.shared.infra.telemetry import tracing; "
        "tracing.configure('x'); assert not tracing.is_on(); "
        "print([name for name in sys.modules if name.startswith('opentelemetry.exporter')])"
    )
    done = subprocess.run(  # noqa: S603 (this interpreter)
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
