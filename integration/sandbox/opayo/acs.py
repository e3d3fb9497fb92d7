"""The emulated access control server: a page with a password, then ``cres`` back to the merchant."""

from __future__ import annotations

from html import escape

from integration.sandbox.opayo.pi_views import decode_message, encode_message
from integration.sandbox.opayo.store import Store
from integration.sandbox.opayo.wire import HTML, Request, Response

PATH = "/3ds-acs"
PASSWORD = "challenge"  # noqa: S105 - shown on the page
_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body>{body}</body></html>"""


def answer_acs(request: Request, store: Store) -> Response:
    """Show the challenge for a ``creq``, or post the result on once the password was given.

    Args:
        request: a form POST with ``creq`` and optionally ``threeDSSessionData`` and ``password``.
        store: where the transaction is.
    """
    form = request.form()
    message = decode_message(form.get("creq", ""))
    row = store.transactions.get((message or {}).get("threeDSServerTransID", "").upper())
    if message is None or row is None or message.get("acsTransID") != row.acs_id:
        return _page("Unknown challenge", "<p>This challenge is not known.</p>", 400)
    session_data = form.get("threeDSSessionData", "")
    if "password" not in form:
        hidden = _hidden("creq", form["creq"]) + _hidden("threeDSSessionData", session_data)
        return _page(
            "Confirm your payment",
            f'<form method="post" action="{PATH}"><p>The password is <b>{PASSWORD}</b>.</p>{hidden}'
            '<label>Password <input name="password"></label><button>Submit</button></form>',
        )
    passed = form["password"] == PASSWORD
    cres = encode_message(
        {
            "messageType": "CRes",
            "messageVersion": message.get("messageVersion", "2.1.0"),
            "threeDSServerTransID": message["threeDSServerTransID"],
            "acsTransID": row.acs_id,
            "transStatus": "Y" if passed else "N",
        }
    )
    hidden = _hidden("cres", cres) + _hidden("threeDSSessionData", session_data)
    target = escape(row.details.notification_url, quote=True)
    form_html = f'<form id="back" method="post" action="{target}">{hidden}<button>Continue</button></form>'
    return _page(
        "Returning to the shop", form_html + "<script>document.getElementById('back').submit()</script>"
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">' if value else ""


def _page(title: str, body: str, status: int = 200) -> Response:
    return Response(status, _PAGE.format(title=title, body=body).encode(), HTML)
