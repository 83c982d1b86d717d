"""Generate examples for the OpenAPI document from its schemas.

A schema's own example comes first, then the value of FIELD_VALUES for the name of the field. A test
validates every example against its schema.
"""

from typing import Any

Schema = dict[str, Any]

_ID = "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44"
# Value by name of the field; a tuple holds candidates for enumerations.
FIELD_VALUES: dict[str, Any] = {
    "affected": 1,
    "author": "Ursula K. Le Guin",
    "attempt": 1,
    "barcode": "LB00000042",
    "battery": 0.84,
    "battery_level": 0.84,
    "bring_to": "Circulation Desk",
    "book_location": "Circulation Desk",
    "book_title": "The Left Hand of Darkness",
    "arrived_at": None,
    "call_number": "PS3562.E42",
    "cancel_reason": None,
    "changed_by": "robot:luna-bot-1",
    "code": "K7QF-9T2M",
    "completed_at": None,
    "condition": ("OK",),
    "connectivity": ("ONLINE",),
    "copies_available": 1,
    "copies_total": 2,
    "copy_barcode": "LB00000042",
    "current_location": "Circulation Desk",
    "destination_location": "Study Room 201",
    "distance": 4.5,
    "epoch": 3,
    "event_seq": 1,
    "failure_reason": None,
    "floor": 2,
    "from_stage": ("TO_SOURCE",),
    "from_status": ("ASSIGNED",),
    "handover_code": "4711",
    "heartbeat_interval": 5.0,
    "height_m": 30.0,
    "isbn": "9780441478125",
    "key": "luna_rb_3f9a1c0b7d2e_pQ4…",
    "language": "en",
    "lease_token": 128,
    "level": ("WARNING",),
    "limit": 20,
    "location_code": "SR-201",
    "loaded_at": None,
    "map_version": 4,
    "message": "The path is blocked.",
    "model": "TurtleBot 4",
    "name": "Study Room 201",
    "notes": "I sit by the window.",
    "offline_after": 15.0,
    "origin": [0.0, 0.0],
    "page": 1,
    "payload": {"waypoint": {"name": "Study Room 201", "floor": 2}},
    "pickup_location": "Study Room 201",
    "picked_up_at": None,
    "pixels_per_metre": 20.0,
    "poll_after_ms": 0,
    "publication_year": 1969,
    "publisher": "Ace Books",
    "reason": "No longer needed",
    "reference": "K7QF",
    "remaining_m": 3.2,
    "request_id": "req_019bc0de7a317c529d1e",
    "request_location": "Study Room 201",
    "robot_name": "luna-bot-1",
    "seq": 17,
    "shelf_location": "A-12-3",
    "software_version": "0.1.0",
    "source_location": "Circulation Desk",
    "speed": 0.31,
    "state": ("RECEIVED",),
    "stage": ("TO_SOURCE",),
    "status": ("ASSIGNED", "APPROVED", "PICKUP_SCHEDULED", "BUSY", "LEASED"),
    "stop_reason": None,
    "stop_state": None,
    "stop_version": 12,
    "subjects": ["Science fiction"],
    "theta": 1.57,
    "title": "The Left Hand of Darkness",
    "timestamp": "2026-01-15T10:30:00.000Z",
    "to_stage": ("LOADING",),
    "to_status": ("ASSIGNED",),
    "total": 1,
    "total_pages": 1,
    "type": "bumper",
    "version": 2,
    "waiting_seconds": 12.5,
    "waypoint": "Circulation Desk",
    "width_m": 40.0,
    "x": 12.5,
    "x_coordinate": 12.5,
    "y": 4.0,
    "y_coordinate": 4.0,
}
_BY_FORMAT = {"date-time": "2026-01-15T10:30:00.000Z", "uuid": _ID, "uri": "https://example.org"}
_BY_TYPE: dict[str, Any] = {
    "integer": 1,
    "number": 0.5,
    "boolean": False,
    "string": "text",
    "array": [],
    "object": {},
    "null": None,
}
_PYTHON_OF: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
}


class ExampleGenerator:
    """Generates examples for the schemas of one document."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas

    def example(self, schema: Schema, field: str = "") -> Any:
        """Return a value that the schema accepts, for a field of this name."""
        if schema.get("examples"):
            return schema["examples"][0]
        if "$ref" in schema:
            return self.example(self._schemas[schema["$ref"].rsplit("/", 1)[-1]], field)
        if "anyOf" in schema:
            return self._one_of(schema["anyOf"], field)
        if schema.get("properties"):
            return self._object(schema)
        return self._value(schema, field)

    def _one_of(self, choices: list[Schema], field: str) -> Any:
        """Return an example of the first type but null, unless FIELD_VALUES says null."""
        if field in FIELD_VALUES and FIELD_VALUES[field] is None:
            return None
        filled = [choice for choice in choices if choice.get("type") != "null"]
        return self.example(filled[0], field)

    def _object(self, schema: Schema) -> dict[str, Any]:
        fields: dict[str, Schema] = schema["properties"]
        return {name: self.example(field, name) for name, field in fields.items()}

    def _value(self, schema: Schema, field: str) -> Any:
        value = FIELD_VALUES.get(field)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return next((word for word in value or () if word in schema["enum"]), schema["enum"][0])
        if schema.get("type") == "array":
            return value or [self.example(schema["items"], field)]
        if schema.get("format") in _BY_FORMAT:
            return _BY_FORMAT[schema["format"]]
        kind = schema.get("type", "object")
        if isinstance(value, _PYTHON_OF.get(kind, ())):
            return value
        return schema.get("default", schema.get("minimum", _BY_TYPE[kind]))
