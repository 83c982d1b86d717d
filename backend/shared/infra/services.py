"""The services of the backend: each is a package of this name and one process or more."""

SERVICES = ("auth", "book", "delivery", "robot", "notification")
RPC_SERVICES = ("auth", "book")  # they also listen for native gRPC

WORKER = "worker"  # the Celery workers, the relay and the scheduler: one process and its children


def database_role(name: str) -> str:
    """Return the database role of a service or of the worker."""
    return f"luna_{name}"


OPERATOR_ROLE = "luna_operator"  # of the command line: a member of all of them
