"""Build the web applications once per hash of `web/` and publish the result to one home.

`python -m ops.web.build FOLDER [--skip]`: FOLDER becomes a link to the built pages. Until then, and
when the build fails, it leads to a page that says so. The exit code is 0 in both cases: LUNA works
without its pages.
"""

import hashlib
import html
import os
import shutil
import sys
import time
from pathlib import Path

from ops.home import write_atomically
from ops.web import node

APPLICATIONS = {"student": ".", "staff": "staff"}  # with their folders in a build
SKIPPED = {"node_modules", "test-results", "dist"}
KEPT_BUILDS = 3
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>LUNA</title>{refresh}
<meta name="viewport" content="width=device-width,initial-scale=1"><style>
:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;
margin:15vh auto;padding:0 1.5rem}}h1{{font-size:1.5rem}}pre{{white-space:pre-wrap;
overflow-wrap:anywhere;font-size:.8rem}}</style></head>
<body><main><h1>{title}</h1><p>{text}</p>{details}
<p>The API works: <a href="/api/v1/docs">its pages</a>.</p></main></body></html>
"""


def digest() -> str:
    """Return the hash of everything the pages are built from."""
    checksum = hashlib.sha256(node.REQUIREMENTS.read_bytes())
    for path in _sources():
        checksum.update(f"{path.relative_to(node.WEB)}\0{path.stat().st_size}\0".encode())
        checksum.update(path.read_bytes())
    return checksum.hexdigest()[:16]


def _sources() -> list[Path]:
    found: list[Path] = []
    for folder, folders, files in os.walk(node.WEB):
        folders[:] = sorted(set(folders) - SKIPPED)
        found += [Path(folder, name) for name in sorted(files)]
    return found


def build() -> Path:
    """Return the folder of the current build; make it first if there is none."""
    target = node.STORE / digest()
    if target.exists():
        return target
    with node.build_lock():
        if target.exists():  # another process made it meanwhile
            return target
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        node.ensure_packages()
        for name, folder in APPLICATIONS.items():
            build_application(name, partial / folder)
        partial.rename(target)
        _delete_old_builds(target)
    return target


def build_application(name: str, folder: Path) -> None:
    """Build one application into a folder."""
    vite = node.PACKAGES / "vite" / "bin" / "vite.js"
    node.run(
        [
            *(str(node.program()), str(vite), "build", f"apps/{name}"),
            *("--outDir", str(folder), "--logLevel", "warn"),
        ]
    )


def publish(link: Path, target: Path) -> None:
    """Point the link to the folder, atomically."""
    fresh = link.with_name(f"{link.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def placeholder(folder: Path, title: str, text: str, *, cause: str = "", again: bool) -> Path:
    """Write a page that stands in for both applications; return its folder."""
    details = f"<pre>{html.escape(cause)}</pre>" if cause else ""
    refresh = '<meta http-equiv="refresh" content="3">' if again else ""
    page = PAGE.format(title=title, text=text, details=details, refresh=refresh)
    for name in APPLICATIONS.values():
        (folder / name).mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name / "index.html", page, 0o644)
    return folder


def _delete_old_builds(current: Path) -> None:
    """Keep the last builds: a LUNA that runs may still serve one of them."""
    builds = sorted(
        (path for path in node.STORE.iterdir() if path.is_dir() and path != current),
        key=lambda path: path.stat().st_mtime,
    )
    for old in builds[: -(KEPT_BUILDS - 1)]:
        shutil.rmtree(old, ignore_errors=True)


def main(link: Path, *, skip: bool = False) -> None:
    """Publish a placeholder, then the build, or the cause when it fails."""
    os.nice(10)  # the services start first
    pages = Path.cwd() / "placeholder"
    if skip:
        text = "LUNA was started without its pages (--no-web)."
        publish(link, placeholder(pages, "There are no pages", text, again=False))
        return
    if not (node.STORE / digest()).exists():
        text = "This takes a minute, once. This page reloads by itself."
        publish(link, placeholder(pages, "The pages are being built", text, again=True))
    began = time.monotonic()
    try:
        publish(link, build())
        print(f"pages ready after {time.monotonic() - began:.1f} s", flush=True)
    except (node.WebBuildError, OSError) as error:
        text = "LUNA runs, but its pages could not be built. The cause:"
        title = "The pages could not be built"
        publish(link, placeholder(pages, title, text, cause=str(error), again=False))
        print(error, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), skip="--skip" in sys.argv)
