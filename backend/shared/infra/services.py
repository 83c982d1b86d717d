"""The services of the backend: each is a package of this name and one process or more."""

SERVICES = ("auth", "book", "delivery", "robot", "notification")
RPC_SERVICES = ("auth", "book")  # they also listen for native gRPC
