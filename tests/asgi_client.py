"""The client of the tests: starlette's, with one change of threads for a call instead of ten."""

from typing import Any
from urllib.parse import unquote

import anyio
import httpx2
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

_BODY, _START = "http.response.body", "http.response.start"


class ApiClient(TestClient):
    """Sends each HTTP request to the application in one step of its event loop's thread."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self._transport = _Transport(self, self._transport)


class _Transport(httpx2.BaseTransport):
    def __init__(self, client: TestClient, websockets: httpx2.BaseTransport) -> None:
        self._client = client
        self._websockets = websockets

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme == "ws":
            return self._websockets.handle_request(request)
        assert self._client.portal is not None, "the client is used outside its `with`"
        return self._client.portal.call(self._send, request)

    def close(self) -> None:
        self._websockets.close()

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        """Return the whole response; raises what the application raises."""
        answered = anyio.Event()
        sent: list[bytes] = []
        started: dict[str, Any] = {}
        unread = [request.read()]

        async def receive() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop()}
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == _START:
                started.update(message)
            elif message["type"] == _BODY:
                sent.append(message.get("body", b""))
                if not message.get("more_body", False):
                    answered.set()

        await self._client.app(self._scope(request), receive, send)
        content = b"" if request.method == "HEAD" else b"".join(sent)
        return httpx2.Response(
            started["status"],
            headers=started["headers"],
            stream=httpx2.ByteStream(content),
            request=request,
        )

    def _scope(self, request: httpx2.Request) -> dict[str, Any]:
        url = request.url
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "path": unquote(url.path),
            "raw_path": url.raw_path.partition(b"?")[0],
            "root_path": "",
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("testclient", 50000),
            "server": [url.host, url.port or 80],
            "state": self._client.app_state.copy(),
        }
