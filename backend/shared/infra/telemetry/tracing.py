"""OpenTelemetry traces, sent to LUNA_TRACES_ENDPOINT; nothing is imported or done without it.

The trace of a request is its request id: the gateway makes it of 32 hexadecimal digits, events
carry it to the workers, and a bridge reports each command under the command's id. So everything
with one cause is one trace, without further headers, and logs and traces share their id. Its root
is the gateway's part, which is a line of the access log and no span.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from backend.shared.infra import config, request_context

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_HEX = re.compile(r"^req_([0-9a-f]{32})$")
_provider: "TracerProvider | None" = None


def configure(part: str) -> None:
    """Start sending the spans of this process; called again after a fork."""
    endpoint = config.process().traces_endpoint
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    global _provider  # noqa: PLW0603 (one for the process)
    _provider = TracerProvider(resource=Resource.create({"service.name": part}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    _provider.add_span_processor(BatchSpanProcessor(exporter))


def is_on() -> bool:
    return _provider is not None


def shutdown() -> None:
    """Send the spans that wait, and stop."""
    global _provider  # noqa: PLW0603 (as above)
    if _provider is not None:
        _provider.shutdown()
        _provider = None


def trace_id(request_id: str) -> int:
    """Return the id of a request's trace: the digits of the gateway, or a hash of another id."""
    found = _HEX.match(request_id)
    return int(found[1] if found else hashlib.sha256(request_id.encode()).hexdigest()[:32], 16)


@contextmanager
def span(name: str, kind: str, attributes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Record a span of the current request; attributes may be added until it ends.

    `kind` is SERVER, CONSUMER or PRODUCER.
    """
    request_id = request_context.current().request_id
    if _provider is None or request_id is None:
        yield attributes
        return
    from opentelemetry import trace

    trace_of_request = trace_id(request_id)
    gateway = trace.SpanContext(
        trace_of_request,
        span_id=trace_of_request >> 64 or 1,
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    outer = trace.get_current_span()
    parent = outer if outer.get_span_context().is_valid else trace.NonRecordingSpan(gateway)
    with _provider.get_tracer("luna").start_as_current_span(
        name, trace.set_span_in_context(parent), trace.SpanKind[kind]
    ) as own:
        yield attributes
        own.set_attributes({key: value for key, value in attributes.items() if value is not None})
