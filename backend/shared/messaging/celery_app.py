"""The Celery application; the reasons for its settings are in events.md §2.

Redis holds no delays and no results. A task that is cut off is redelivered; failed events are
sent again by the relay, not by Celery.
"""

from typing import Any

from celery import Celery
from celery.signals import (
    setup_logging,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)

from backend.shared.infra import config, logs
from backend.shared.infra.telemetry import tracing
from backend.shared.messaging import broker

TASK_MODULES = [
    "backend.auth.tasks",
    "backend.book.tasks",
    "backend.delivery.tasks",
    "backend.robot.tasks",
    "backend.notification.tasks",
]
# What each Celery worker imports when it starts: imported before it is forked, they share it.
WORKER_MODULES = [
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.apps.worker",
    "celery.concurrency.prefork",
    "celery.worker.autoscale",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "kombu.pidbox",
    "kombu.transport.redis",
]
QUEUES = ("delivery", "robot", "notification")
IMPORT_QUEUES = ("catalog",)  # of a worker of their own: a batch takes seconds
IMPORT_CONCURRENCY = 1


def _make_celery() -> Celery:
    app = Celery("luna", broker=broker.url(config.redis().redis_url), include=TASK_MODULES)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        task_soft_time_limit=20,
        task_time_limit=30,
        task_create_missing_queues=True,
        task_default_queue="delivery",
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": 60,  # longer than the hard time limit
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 5,
            "socket_connect_timeout": 5,
            "socket_keepalive": not config.redis().redis_url.startswith("unix:"),
            "health_check_interval": 10,
        },
        worker_soft_shutdown_timeout=8,
        worker_enable_soft_shutdown_on_idle=True,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_max_tasks_per_child=5000,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        enable_utc=True,
    )
    return app


celery = _make_celery()


@setup_logging.connect
def _set_up_logging(**_: Any) -> None:
    logs.configure("celery-worker")


@worker_process_init.connect
def _trace(**_: Any) -> None:
    tracing.configure("celery-worker")


@worker_process_shutdown.connect
def _send_traces(**_: Any) -> None:
    tracing.shutdown()


@worker_ready.connect
def _touch_ready_file(**_: Any) -> None:
    ready_file = config.process().ready_file
    if ready_file is not None:
        ready_file.touch()
