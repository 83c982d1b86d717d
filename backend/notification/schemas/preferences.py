"""Request and response models of preferences and push subscriptions."""

from uuid import UUID

from pydantic import ConfigDict, Field

from backend.shared.web.schemas import (
    FilledText,
    LocalTime,
    RequestModel,
    ResponseModel,
    Timestamp,
)

_TYPE = "DELIVERY_TASK_ARRIVED"


class ChannelChoice(RequestModel):
    """The channels of one type; `urgent` ones are always shown in the app."""

    notification_type: FilledText = Field(max_length=64, examples=[_TYPE])
    in_app: bool = True
    push: bool
    email: bool
    urgent: bool = Field(default=False, description="Set by the system; ignored in a request")


class QuietHours(RequestModel):
    """When push and mail wait, in the library's time zone; may pass midnight."""

    start: LocalTime = Field(examples=["22:00:00"])
    end: LocalTime = Field(examples=["07:00:00"])


class PreferencesBody(RequestModel):
    """Choices to change; what is left out stays, `quiet_hours: null` ends them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "language": "en",
                    "quiet_hours": {"start": "22:00:00", "end": "07:00:00"},
                    "channels": [{"notification_type": _TYPE, "push": True, "email": False}],
                }
            ]
        }
    )

    language: FilledText | None = Field(default=None, max_length=16)
    quiet_hours: QuietHours | None = None
    channels: list[ChannelChoice] = Field(default=[], max_length=100)


class PreferencesRead(ResponseModel):
    language: str
    quiet_hours: QuietHours | None
    channels: list[ChannelChoice]
    push_public_key: str | None = Field(description="VAPID key; null while push is not set up")


class PushKeys(RequestModel):
    p256dh: FilledText = Field(max_length=200)
    auth: FilledText = Field(max_length=100)


class PushSubscriptionCreate(RequestModel):
    """A subscription as the browser's `PushManager` gives it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
                    "keys": {
                        "p256dh": "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-"
                        "Ts1XbjhazAkj7I99e8QcYP7DkM",
                        "auth": "tBHItJI5svbpez7KI4CCXg",
                    },
                }
            ]
        }
    )

    endpoint: FilledText = Field(max_length=2000)
    keys: PushKeys


class PushSubscriptionRead(ResponseModel):
    id: UUID
    endpoint: str
    created_at: Timestamp
