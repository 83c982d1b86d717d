"""`luna.v1.UserService`: translates messages; the rules are those of /auth/users."""

from uuid import UUID

from sqlalchemy.orm import Session

from backend.auth import queries
from backend.auth.schemas.administration import ManagedUserRead, UserCreate
from backend.auth.service import users
from backend.shared.domain.actor import Actor
from backend.shared.errors import RoleNotAllowed
from backend.shared.models import Role
from backend.shared.proto.gen.luna.v1 import user_connect, user_pb
from backend.shared.web.pagination import ordered, paginate
from backend.shared.web.rpc import calls
from backend.shared.web.rpc.access import Context, caller
from backend.shared.web.rpc.enums import ROLES
from backend.shared.web.rpc.messages import page_query, timestamp
from backend.shared.web.rpc.server import RpcServer

_ADMINS = frozenset({Role.ADMIN})


class UserService(user_connect.UserService):
    """Accounts of people, for administrators and the campus identity system."""

    async def get_user(
        self, request: user_pb.GetUserRequest, ctx: Context, /
    ) -> user_pb.GetUserResponse:
        def work(session: Session) -> ManagedUserRead:
            return ManagedUserRead.model_validate(users.get(session, UUID(request.user_id)))

        return user_pb.GetUserResponse(user=_message(await calls.write(ctx, work)))

    async def create_user(
        self, request: user_pb.CreateUserRequest, ctx: Context, /
    ) -> user_pb.CreateUserResponse:
        values = {
            "email": request.email,
            "first_name": request.first_name,
            "last_name": request.last_name,
            "role": ROLES.to_database(request.role) or Role.STUDENT,
            "phone_number": request.phone_number if request.has_field("phone_number") else None,
        }
        new_user = calls.parse(UserCreate, values)
        actor = _creator(new_user.role)

        def work(session: Session) -> ManagedUserRead:
            return ManagedUserRead.model_validate(users.create(session, new_user, actor))

        return user_pb.CreateUserResponse(user=_message(await calls.write(ctx, work)))

    async def list_users(
        self, request: user_pb.ListUsersRequest, ctx: Context, /
    ) -> user_pb.ListUsersResponse:
        page = page_query(
            request.page, request.page_size, request.sort, descending=request.descending
        )
        is_active = request.is_active if request.has_field("is_active") else None
        role = ROLES.to_database(request.role)
        statement = ordered(
            queries.users(request.query, role, is_active=is_active),
            page,
            queries.USER_SORTS,
            default="-created_at",
            tiebreak=queries.USER_ID,
        )
        found = await calls.read(
            ctx, lambda connection: paginate(connection, statement, page, ManagedUserRead)
        )
        return user_pb.ListUsersResponse(
            users=[_message(user) for user in found.data], total_count=found.pagination.total
        )


def _creator(role: Role) -> Actor:
    """Return the caller; a machine may not create administrators, who could do anything."""
    found = caller()
    if found.is_machine and role is Role.ADMIN:
        raise RoleNotAllowed("A service key cannot create administrators.")
    return found.actor


def _message(user: ManagedUserRead) -> user_pb.User:
    return user_pb.User(
        id=str(user.id),
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=ROLES.to_contract(user.role),
        phone_number=user.phone_number,
        is_active=user.is_active,
        preferred_language=user.preferred_language,
        email_verified_at=timestamp(user.email_verified_at),
        last_login_at=timestamp(user.last_login_at),
        created_at=timestamp(user.created_at),
        updated_at=timestamp(user.updated_at),
    )


RPC = RpcServer(
    "auth-service",
    UserService(),
    user_connect.UserServiceASGIApplication,
    roles=dict.fromkeys(("GetUser", "CreateUser", "ListUsers"), _ADMINS),
)
