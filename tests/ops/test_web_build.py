"""The build of the web applications, without Node.js: links, placeholders, causes."""

from pathlib import Path

import pytest

from ops.home import Home
from ops.native.component import Component
from ops.native.supervisor import Supervisor
from ops.servers import prerequisites
from ops.servers.prerequisites import EXIT_MISSING, Prerequisite
from ops.web import build, node, suites


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a small `web/` and an empty store; the build works in an own folder."""
    web = tmp_path / "web"
    (web / "apps").mkdir(parents=True)
    (web / "apps" / "main.tsx").write_text("one", encoding="utf-8")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr(node, "WEB", web)
    monkeypatch.setattr(node, "STORE", tmp_path / "store")
    monkeypatch.setattr(node, "ensure_packages", lambda: None)
    monkeypatch.chdir(work)
    monkeypatch.setattr("os.nice", lambda _: None)
    return web


def fake_application(_name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("built", encoding="utf-8")


def page(link: Path) -> str:
    return (link / "index.html").read_text(encoding="utf-8")


def test_hash_follows_the_sources_but_not_the_packages(sources: Path) -> None:
    before = build.digest()
    (sources / "node_modules").mkdir()
    (sources / "node_modules" / "a.js").write_text("x", encoding="utf-8")
    assert build.digest() == before
    (sources / "apps" / "main.tsx").write_text("two", encoding="utf-8")
    assert build.digest() != before


def test_link_leads_to_the_build_which_is_made_once(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "build_application", fake_application)
    link = tmp_path / "pages"
    build.main(link)
    assert page(link) == "built"
    assert link.readlink() == node.STORE / build.digest()

    monkeypatch.setattr(build, "build_application", lambda *_: pytest.fail("built again"))
    build.main(link)
    assert page(link) == "built"
    assert sources.exists()


@pytest.mark.usefixtures("sources")
def test_failed_build_shows_its_cause_and_leaves_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise node.WebBuildError("“vite.js build” failed:\n<Unexpected token>")

    monkeypatch.setattr(build, "build_application", fail)
    link = tmp_path / "pages"
    build.main(link)
    assert "could not be built" in page(link)
    assert "&lt;Unexpected token&gt;" in page(link)
    assert not (node.STORE / build.digest()).exists()


@pytest.mark.usefixtures("sources")
def test_pages_can_be_left_out(tmp_path: Path) -> None:
    build.main(tmp_path / "pages", skip=True)
    assert "--no-web" in page(tmp_path / "pages")


@pytest.mark.usefixtures("sources")
def test_program_that_fails_is_shown_with_its_last_lines() -> None:
    with pytest.raises(node.WebBuildError, match="the cause"):
        node.run(["sh", "-c", "echo the cause >&2; exit 3"])


def test_background_job_does_not_delay_the_start() -> None:
    home = Home(Path("/nonexistent"))
    jobs = [Component(name="pages", command=list, job=True, background=True)]
    assert Supervisor(home, jobs, {})._all_available()  # noqa: SLF001 — the state file has no other input
    jobs = [Component(name="seed", command=list, job=True)]
    assert not Supervisor(home, jobs, {})._all_available()  # noqa: SLF001 — as above


@pytest.mark.parametrize("is_root", [True, False])
def test_browser_suite_installs_chromium_as_root_and_else_says_what_is_missing(
    is_root: bool,  # noqa: FBT001 (a parameter of the test)
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    installed: list[Prerequisite] = []
    monkeypatch.setattr(suites, "CHROMIUM", tmp_path / "chromium")
    monkeypatch.setattr(prerequisites, "may_install", lambda: is_root)
    monkeypatch.setattr(prerequisites, "install", installed.extend)
    assert suites.run_browser([]) == EXIT_MISSING
    assert [program.name for program in installed] == (["Chromium"] if is_root else [])
    assert "apt-get install chromium" in capsys.readouterr().err


def test_browser_suite_says_that_chromium_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho a library is missing >&2; exit 127\n")
    broken.chmod(0o755)
    monkeypatch.setattr(suites, "CHROMIUM", broken)
    assert suites.run_browser([]) == EXIT_MISSING
    said = capsys.readouterr().err
    assert "does not start" in said
    assert "a library is missing" in said
