"""Logon, logoff and the operator's profile."""

from __future__ import annotations

from integration.sandbox.syspro import shapes
from integration.sandbox.syspro.asgi import Request, Response
from integration.sandbox.syspro.harmony.answers import HarmonyError
from integration.sandbox.syspro.harmony.check import flat
from integration.sandbox.syspro.sessions import SESSION_INVALID_TEXT, LogonRefused, Session, Sessions
from integration.sandbox.syspro.store import Store


def bearer(request: Request) -> str:
    """The token of the Authorization header, empty when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authenticated(request: Request, sessions: Sessions) -> Session:
    """The session of a request; a fault may have killed it just before.

    Raises:
        HarmonyError: ``SESSION_INVALID`` with SYSPRO's text.
    """
    token = bearer(request)
    if request.fault_named("session-killed"):
        sessions.logoff(token)
    session = sessions.current(token) if token else None
    if session is None:
        raise HarmonyError("SESSION_INVALID", SESSION_INVALID_TEXT, {"WWW-Authenticate": "Bearer"})
    return session


def logon(request: Request, store: Store, sessions: Sessions) -> Response:
    """Start the operator's session, ending an earlier one."""
    asked = flat(request.body, shapes.LOGON)
    values = {name: str(asked.get(name, "")) for name in shapes.LOGON.texts}
    session = sessions.logon(
        values["Operator"], values["OperatorPassword"], values["CompanyId"], values["CompanyPassword"]
    )
    if session is LogonRefused.SEATS:
        raise HarmonyError("LICENSE_EXHAUSTED", "All licensed users are logged on; try again later")
    if session is LogonRefused.COMPANY:
        raise HarmonyError("INVALID_CREDENTIALS", "Invalid company or company password")
    if not isinstance(session, Session):
        raise HarmonyError("INVALID_CREDENTIALS", "Invalid operator password")
    return Response(200, profile(session, store))


def profile(session: Session, store: Store) -> dict[str, object]:
    """What a logon and the profile both answer."""
    config = store.config
    return {
        "UserId": session.token,
        "TokenType": "Bearer",
        "CompanyId": config.company,
        "Operator": session.operator,
        "SysproVersion": config.syspro_version,
        "EnetVersion": config.enet_version,
        "LocalCurrencyCode": config.local_currency,
        "AccountingDate": store.accounting_date().isoformat(),
        "DefaultBank": config.bank,
        "DefaultArBranch": config.branch,
        "DefaultWarehouse": config.warehouse,
    }
