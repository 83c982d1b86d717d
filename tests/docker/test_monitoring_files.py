"""The dashboard and the alert rules name metrics that exist."""

import importlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from backend.shared.infra.services import SERVICES
from backend.shared.messaging import metrics
from tests.docker.files import COMPOSE, ROOT, services

FOLDER = ROOT / "ops" / "monitoring"
ALERTS = FOLDER / "alerts.yaml"
DURATION = re.compile(r"\d+[smh]")


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    return found


def expressions() -> list[str]:
    targets = [target for panel in dashboard()["panels"] for target in panel["targets"]]
    return [each["expr"] for each in (*rules(), *targets)]


def _named(text: str) -> set[str]:
    return set(re.findall(r"luna_\w+", text))


@pytest.fixture
def existing(clean: None) -> set[str]:
    """The samples of all services and of the worker, by name."""
    importlib.import_module("backend.shared.messaging.relay")
    for service in SERVICES:
        importlib.import_module(f"backend.{service}.main")
    families = [*REGISTRY.collect(), *metrics.WorkerCollector().collect()]
    return set(_samples(families))


def _samples(families: list[Any]) -> Iterator[str]:
    """Yield the names of the samples of each family, also of one without children yet."""
    for family in families:
        yield from (sample.name for sample in family.samples)
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        yield from (family.name + suffix for suffix in suffixes.get(family.type, [""]))


@pytest.mark.parametrize("expression", expressions())
def test_named_metrics_exist(expression: str, existing: set[str]) -> None:
    named = _named(expression)
    assert named or 'up{job="luna"}' in expression
    assert named <= existing


def test_every_metric_is_on_the_dashboard(existing: set[str]) -> None:
    shown = {
        re.sub(r"_(total|bucket)$", "", name) for text in expressions() for name in _named(text)
    }
    own = {re.sub(r"_(total|bucket|count|sum|created)$", "", n) for n in existing if "luna_" in n}
    assert own <= shown


def test_alert_rules_are_complete() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert DURATION.fullmatch(rule["for"])
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert all(rule["annotations"][name] for name in ("summary", "action"))


def test_alert_rules_pass_promtool() -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("needs promtool")
    words = [program, "check", "rules", str(ALERTS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 (a fixed program)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_every_program() -> None:
    settings = yaml.safe_load((FOLDER / "prometheus.yaml").read_text(encoding="utf-8"))
    [job] = settings["scrape_configs"]
    [found] = job["dns_sd_configs"]
    programs = {n for n in services(COMPOSE) if n.endswith("-service") or n == "celery-worker"}
    assert set(found["names"]) == programs
    assert settings["rule_files"] == [ALERTS.name]


def test_dashboard_has_the_shape_that_grafana_reads() -> None:
    found = dashboard()
    assert found["title"]
    assert found["schemaVersion"] >= 36
    ids = [panel["id"] for panel in found["panels"]]
    assert len(set(ids)) == len(ids)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in found["panels"]]
    assert len(set(places)) == len(places)
