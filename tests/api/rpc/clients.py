"""Clients that are not ours: grpcio's, curl, gRPC-Web's frames, a page in Chromium."""

import json
import queue
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import grpc
import httpx
from google.protobuf import json_format

from tests.api.rpc import foreign_stubs
from tests.api.rpc.conftest import Stack

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_TIMEOUT = 30.0  # seconds
_OK = "ok"


@dataclass(frozen=True)
class Outcome:
    """The code of a call in lower case, and its message as JSON."""

    code: str
    message: dict[str, Any]


class Client(Protocol):
    def call(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Outcome:
        """Call `luna.v1.Service/Method`."""


class NativeGrpc:
    """grpcio with stubs by grpcio-tools, through TLS and HTTP/2 of the gateway."""

    def __init__(self, stack: Stack) -> None:
        trusted = grpc.ssl_channel_credentials(stack.certificate)
        self._channel = grpc.secure_channel(f"localhost:{stack.tls_port}", trusted)

    def call(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Outcome:
        service, method = path.removeprefix("luna.v1.").split("/")
        stub = getattr(foreign_stubs.modules(service)[1], f"{service}Stub")(self._channel)
        request = json_format.ParseDict(body, foreign_stubs.messages(path)[0]())
        metadata = [(name.lower(), value) for name, value in headers.items()]
        try:
            answer = getattr(stub, method)(request, metadata=metadata, timeout=_TIMEOUT)
        except grpc.RpcError as error:
            return Outcome(error.code().name.lower(), {})
        return Outcome(_OK, json_format.MessageToDict(answer))

    def close(self) -> None:
        self._channel.close()


class Curl:
    """curl with JSON over plain HTTP/1.1."""

    def __init__(self, stack: Stack) -> None:
        self._address = stack.address

    def call(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Outcome:
        words = ["curl", "--silent", "--max-time", "30"]
        words += ["--header", "Content-Type: application/json"]
        for name, value in headers.items():
            words += ["--header", f"{name}: {value}"]
        words += ["--data", json.dumps(body), f"{self._address}/{path}"]
        done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 (curl)
        return _from_json(json.loads(done.stdout))


class GrpcWeb:
    """gRPC-Web over HTTP/1.1: a frame with the message, a frame with the trailers."""

    def __init__(self, stack: Stack) -> None:
        self._address = stack.address

    def call(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Outcome:
        request_class, response_class = foreign_stubs.messages(path)
        data = json_format.ParseDict(body, request_class()).SerializeToString()
        answer = httpx.post(
            f"{self._address}/{path}",
            content=b"\0" + struct.pack(">I", len(data)) + data,
            headers={"Content-Type": "application/grpc-web+proto", "X-Grpc-Web": "1", **headers},
            timeout=_TIMEOUT,
        )
        frames = dict(_frames(answer.content))
        trailers = frames.get(0x80, b"").decode().lower()
        status = next(line for line in trailers.splitlines() if line.startswith("grpc-status"))
        code = int(status.partition(":")[2])
        if code:
            return Outcome(_name(code), {})
        message = response_class.FromString(frames[0])
        return Outcome(_OK, json_format.MessageToDict(message))


def _frames(content: bytes) -> Iterator[tuple[int, bytes]]:
    while content:
        kind, length = struct.unpack(">BI", content[:5])
        yield kind, content[5 : 5 + length]
        content = content[5 + length :]


def _name(code: int) -> str:
    return next(each for each in grpc.StatusCode if each.value[0] == code).name.lower()


def _from_json(body: dict[str, Any]) -> Outcome:
    return Outcome(body["code"], {}) if "code" in body else Outcome(_OK, body)


_PAGE = """<!doctype html><script>
(async () => {
  for (;;) {
    const call = await (await fetch("/next", {method: "POST"})).json();
    if (call === null) return;
    let result;
    try {
      const {url, headers, body} = call;
      const answer = await fetch(url, {method: "POST", headers, body});
      result = await answer.json();
    } catch (error) {
      result = {code: "fetch failed: " + error};
    }
    await fetch("/result", {method: "POST", body: JSON.stringify(result)});
  }
})();
</script>"""


class Page:
    """A page of another origin in Chromium that makes the calls it is given with fetch."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.calls: queue.Queue[Any] = queue.Queue()
        self.results: queue.Queue[Any] = queue.Queue()

    def call(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Outcome:
        sent = {"Content-Type": "application/json", "Connect-Protocol-Version": "1", **headers}
        url = f"{self._stack.address}/{path}"
        self.calls.put({"url": url, "headers": sent, "body": json.dumps(body)})
        return _from_json(self.results.get(timeout=_TIMEOUT))

    @contextmanager
    def open(self, folder: Path) -> Iterator["Page"]:
        """Serve the page from the allowed origin and open it."""
        server = ThreadingHTTPServer(
            ("127.0.0.1", urlsplit(self._stack.origin).port or 0), _handler(self)
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu"]
        words += [f"--user-data-dir={folder}", "--no-first-run", self._stack.origin]
        browser = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 (Chromium)
        try:
            yield self
        finally:
            self.calls.put(None)
            browser.terminate()
            browser.wait(_TIMEOUT)
            server.shutdown()
            server.server_close()


def _handler(page: Page) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("text/html", _PAGE)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path == "/result":
                page.results.put(json.loads(body))
                self._answer("application/json", "{}")
            else:
                self._answer("application/json", json.dumps(page.calls.get(timeout=_TIMEOUT)))

        def _answer(self, kind: str, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return Handler
