"""The database roles of the services and what each may do, table by table.

One role per service; the worker's has what its tasks, the relay and the scheduler need. The
operator's (`luna check`, `luna seed` and the like) is a member of all of them. None changes the
schema. `backend.shared.migrations.grants` gives these privileges after each migration.
"""

from enum import StrEnum

from backend.shared.infra.services import SERVICES, WORKER

PROGRAMS = (*SERVICES, WORKER)


class Verb(StrEnum):
    SELECT = "S"
    INSERT = "I"
    UPDATE = "U"
    DELETE = "D"


# Columns that `s` leaves out: secrets that only their owner compares.
HIDDEN = {
    "users": ("password_hash",),
    "sessions": ("refresh_hash", "previous_hash", "user_agent", "ip_address"),
    "totp_factors": ("encrypted_secret", "last_step"),
}
# The one column that `u` may change: PostgreSQL locks a row only for roles that may change it.
LOCK = {"users": "lock_version", "books": "version"}

# S, I, U, D: the whole table. s: all but the hidden columns. u: the column of the lock.
_TABLES = """
                           auth  book  delivery  robot  notification  worker
account_tokens             SD    -     -         -      -             SID
aggregate_sequences        SIU   SIU   SIU       SIU    -             SIUD
alerts                     S     -     SIU       S      S             SIUD
audit_chain                S     -     -         -      -             -
audit_logs                 SI    I     I         I      -             I
book_merges                S     SIU   -         -      -             S
book_requests              S     SU    SIU       S      S             SUD
book_returns               S     SU    SIU       S      S             SUD
books                      S     SIU   Su        S      S             SIU
calendar                   -     SID   S         -      S             S
copies                     S     SIU   SU        S      S             SIU
copy_history               S     SI    SI        -      -             SI
delivery_tasks             S     SU    SIU       SU     S             SIUD
enrolment_codes            -     -     -         SIU    -             -
event_runs                 -     -     -         -      -             SIUD
fleet_state                -     S     S         SU     -             S
floor_plans                -     -     S         SID    -             -
holds                      S     SIU   SIU       -      S             SIU
idempotency_keys           SIUD  SIUD  SIUD      SIUD   SIUD          SD
import_files               -     SID   -         -      -             SD
import_jobs                S     SIU   -         -      S             SUD
import_rows                -     S     -         -      -             SI
import_titles              -     SD    -         -      -             SIU
known_devices              SID   -     -         -      -             SD
live_position              S     S     S         S      S             SU
loading_proofs             S     S     SI        S      -             SD
loan_policies              -     SID   S         -      S             S
loans                      S     SIU   SIU       -      S             SU
login_challenges           SIUD  -     -         -      -             SD
notice_days                S     -     -         -      -             SID
notification_deliveries    S     -     -         -      -             SIUD
notification_preferences   S     -     -         -      SIU           S
notifications              S     -     -         -      SUD           SID
outbox                     SI    I     I         I      S             SIUD
part_heartbeats            SIU   SIU   SIU       SIU    SIU           SIUD
person_keys                S     S     S         S      -             S
processed_events           S     -     -         -      -             SID
push_subscriptions         S     -     -         -      SIUD          SD
recovery_codes             SID   -     -         -      -             -
robot_command_reports      -     -     -         SI     -             SD
robot_commands             -     SIU   SIU       SIU    S             SIUD
robot_errors               -     -     -         SI     -             SUD
robot_keys                 S     S     S         SIU    S             -
robot_status_logs          -     -     S         S      -             SI
robots                     S     SU    SU        SIU    S             SU
search_phrases             -     S     -         -      -             SIUD
search_state               -     S     -         -      -             SIU
search_words               -     S     -         -      -             SIUD
service_keys               SIU   S     -         -      -             -
sessions                   SIU   s     s         s      s             sD
sign_in_failures           SIUD  -     -         -      -             SD
stop_latches               S     S     S         SIU    S             S
task_status_history        S     I     SI        I      -             SID
totp_factors               SIUD  s     s         s      s             -
users                      SIU   su    su        s      s             s
waypoint_edges             -     S     S         SIUD   -             SU
waypoints                  -     S     S         SIU    S             S
ws_tickets                 S     -     -         -      SID           SD
"""


def _parse(text: str) -> dict[str, dict[str, str]]:
    """Return the letters by table and program; no entry where there are none."""
    header, *rows = (line.split() for line in text.strip().splitlines())
    assert tuple(header) == PROGRAMS
    return {
        table: {name: cell for name, cell in zip(header, cells, strict=True) if cell != "-"}
        for table, *cells in rows
    }


TABLES = _parse(_TABLES)
SEQUENCES = {
    "barcodes": ("book", "worker"),
    "lease_tokens": ("robot",),
}
# Functions that run with the owner's rights.
FUNCTIONS = {
    "create_member(uuid, text, text, text, text, timestamptz)": ("book",),
    "erase_person(uuid, timestamptz)": ("auth",),
    "add_month(text, date)": ("worker",),
    "drop_expired_months(text, timestamptz)": ("worker",),
}
