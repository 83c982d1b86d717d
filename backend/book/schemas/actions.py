"""Actions that a client may offer, and staff's override of a refusal."""

from pydantic import ConfigDict, Field

from backend.shared.domain.refusals import ActionName, Reason
from backend.shared.web.schemas import FilledText, RequestModel, ResponseModel


class ReasonRead(ResponseModel):
    code: Reason
    message: str


class ActionRead(ResponseModel):
    """An action, and why it is not possible now."""

    name: ActionName
    allowed: bool
    reasons: list[ReasonRead]


class OverrideBody(RequestModel):
    """Reasons that staff override, with a note for the audit log."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"codes": ["LIMIT_LOANS"], "note": "exam week"}]}
    )

    codes: list[Reason] = Field(min_length=1, max_length=20)
    note: FilledText = Field(max_length=500)
