"""The web applications: which paths answer a page, a file, or the 404 of the API."""

import re

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import Response, assert_error, send

BROWSER = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"


def body(response: Response) -> str:
    return response.body.decode()


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", "index.html"),
        ("/books/0192?tab=copies", "index.html"),
        ("/requests/", "index.html"),
        ("/staffroom", "index.html"),
        ("/staff/", "staff/index.html"),
        ("/staff/map", "staff/index.html"),
    ],
)
def test_browser_receives_the_application_of_the_path(
    gateway: Gateway, path: str, page: str
) -> None:
    response = send(gateway.port, path, BROWSER)
    assert response.status == 200
    assert response.header("Content-Type") == ["text/html; charset=utf-8"]
    assert response.header("Cache-Control") == ["no-cache"]
    assert response.header("Cross-Origin-Opener-Policy") == ["same-origin"]
    assert body(response) == f"<p>{page}</p>"
    assert gateway.reached() == []


@pytest.mark.parametrize("path", ["/", "/books/0192", "/staff/map"])
@pytest.mark.parametrize("accept", ["Accept: application/json", "Accept: */*", "X-None: 1"])
def test_program_receives_the_404_of_the_api(gateway: Gateway, path: str, accept: str) -> None:
    assert_error(send(gateway.port, path, accept), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path", ["/api/v2/books", "/metrics", "/health/live", "/_page/index.html", "/a/../b", "//x"]
)
def test_reserved_and_non_canonical_paths_have_no_page(gateway: Gateway, path: str) -> None:
    assert_error(send(gateway.port, path, BROWSER), 404, "NOT_FOUND")


def test_only_get_and_head_answer_a_page(gateway: Gateway) -> None:
    assert send(gateway.port, "/", BROWSER, method="HEAD").status == 200
    assert_error(send(gateway.port, "/", BROWSER, method="POST"), 404, "NOT_FOUND")


def test_browser_reaches_services_as_before(gateway: Gateway) -> None:
    assert send(gateway.port, "/api/v1/books", BROWSER).status == 200
    assert [got.target for got in gateway.reached()] == ["/api/v1/books"]


def test_staff_without_a_slash_is_redirected(gateway: Gateway) -> None:
    response = send(gateway.port, "/staff", BROWSER)
    assert (response.status, response.header("Location")) == (308, ["/staff/"])


@pytest.mark.parametrize(
    ("path", "kind", "caching"),
    [
        ("/assets/app-1a.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/staff/assets/app-2b.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/sw.js", "text/javascript", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
    ],
)
def test_file_has_its_type_and_caching(
    gateway: Gateway, path: str, kind: str, caching: str
) -> None:
    response = send(gateway.port, path)
    assert response.status == 200
    assert response.header("Content-Type") == [kind]
    assert response.header("Cache-Control") == [caching]


def test_missing_asset_is_not_a_page_and_not_cached(gateway: Gateway) -> None:
    response = send(gateway.port, "/assets/gone-0.js", BROWSER)
    assert_error(response, 404, "NOT_FOUND")
    assert response.header("Cache-Control") == ["no-store"]


def test_service_worker_may_load_its_library_and_store_files(gateway: Gateway) -> None:
    [policy] = send(gateway.port, "/sw.js").header("Content-Security-Policy")
    assert policy == "default-src 'none'; script-src 'self'; connect-src 'self'"


def test_service_worker_receives_the_page_with_its_policy(gateway: Gateway) -> None:
    stored, shown = send(gateway.port, "/index.html"), send(gateway.port, "/loans", BROWSER)
    assert stored.status == 200
    assert stored.body == shown.body
    for name in ("Content-Security-Policy", "Cross-Origin-Opener-Policy", "Cache-Control"):
        assert stored.header(name) == shown.header(name)


def test_only_the_dashboard_may_use_camera_and_web_assembly(gateway: Gateway) -> None:
    student, staff = (send(gateway.port, path, BROWSER) for path in ("/", "/staff/"))
    [student_policy] = student.header("Content-Security-Policy")
    [staff_policy] = staff.header("Content-Security-Policy")
    assert re.search(r"script-src 'self';", student_policy)
    assert "script-src 'self' 'wasm-unsafe-eval';" in staff_policy
    assert "camera=(self)" in staff.header("Permissions-Policy")[0]
    assert "camera=()" in student.header("Permissions-Policy")[0]


def test_pages_have_no_rate_limit(strict: Gateway) -> None:
    statuses = {send(strict.port, "/", BROWSER).status for _ in range(12)}
    statuses |= {send(strict.port, "/assets/app-1a.js").status for _ in range(12)}
    assert statuses == {200}
