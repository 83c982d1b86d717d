"""Stubs that grpcio-tools generates from the contract: a client that shares no code with LUNA."""

import importlib
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from grpc_tools import protoc

from ops.rpc.contract import FOLDER

_FILES = ("luna/v1/library.proto", "luna/v1/user.proto", "buf/validate/validate.proto")
_SERVICES = {"LibraryService": "library", "UserService": "user"}


@cache
def _folder() -> str:
    folder = mkdtemp(prefix="luna-stubs-")
    included = str(files("grpc_tools") / "_proto")
    words = ["protoc", f"-I{FOLDER}", f"-I{FOLDER / 'vendor'}", f"-I{included}"]
    words += [f"--python_out={folder}", f"--grpc_python_out={folder}", *_FILES]
    assert protoc.main(words) == 0
    sys.path.insert(0, folder)
    return folder


def modules(service: str) -> tuple[Any, Any]:
    """Return the modules with the messages and with the stub of a service."""
    assert Path(_folder()).is_dir()
    name = _SERVICES[service]
    return (
        importlib.import_module(f"luna.v1.{name}_pb2"),
        importlib.import_module(f"luna.v1.{name}_pb2_grpc"),
    )


def messages(path: str) -> tuple[Any, Any]:
    """Return the request and the response class of `luna.v1.Service/Method`."""
    service, method = path.removeprefix("luna.v1.").split("/")
    found = modules(service)[0]
    return getattr(found, f"{method}Request"), getattr(found, f"{method}Response")
