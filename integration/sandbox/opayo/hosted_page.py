"""The hosted payment page: a plain form behind ``NextURL``, as a shopper's browser sees it."""

from __future__ import annotations

from html import escape

from integration.sandbox.opayo.cards import read_card
from integration.sandbox.opayo.money import major
from integration.sandbox.opayo.notifier import Registration
from integration.sandbox.opayo.server_face import PaidBody, ServerFace
from integration.sandbox.opayo.wire import HTML, Request, Response, redirect

PATH = "/gateway/service/cardselection"
_FORM = """<form method="post">
<label>Name on card <input name="cardholderName" value="SUCCESSFUL"></label><br>
<label>Card number <input name="cardNumber" value="4929000000006"></label><br>
<label>Expiry MMYY <input name="expiryDate" value="1230"></label><br>
<label>Security code <input name="securityCode" value="123"></label><br>
<button name="action" value="pay">Pay</button> <button name="action" value="cancel">Cancel</button>
</form>"""


async def answer_page(request: Request, face: ServerFace) -> Response:
    """Show the form, or take it and send the shopper where the vendor said."""
    identifier = request.arguments().get("vpstxid", "").strip("{}").upper()
    registration = face.registrations.get(identifier)
    if registration is None or registration.row.txstate not in {2, 3}:
        return _page("Payment", "<p>This payment session is invalid or has expired (5999).</p>", 404)
    if request.method != "POST":
        registration.row.txstate = 3
        return _page("Payment", _summary(registration) + _FORM)
    form = request.form()
    shopper = PaidBody(
        vps_tx_id=identifier,
        card_number=form.get("cardNumber", "").replace(" ", ""),
        expiry_date=form.get("expiryDate", ""),
        security_code=form.get("securityCode", ""),
        cardholder_name=form.get("cardholderName", ""),
        cancel=form.get("action") == "cancel",
    )
    url = await take(face, registration, shopper)
    if url is None:
        return _page(
            "Payment", _summary(registration) + "<p>Please use a published test card.</p>" + _FORM, 422
        )
    if not url:
        return _page("Payment", "<p>5006 : The vendor's site did not answer as required.</p>", 502)
    return redirect(url)


async def take(face: ServerFace, registration: Registration, shopper: PaidBody) -> str | None:
    """Do what the shopper does; None when the card is no test card, else where to go ("" for nowhere)."""
    if shopper.cancel:
        return await face.cancel(registration)
    card = read_card(shopper.card_number, shopper.expiry_date, shopper.cardholder_name, shopper.security_code)
    if card is None:
        return None
    return await face.pay(registration, card)


def _summary(registration: Registration) -> str:
    row = registration.row
    text = f"{registration.account.vendor}: {row.details.description}, {major(row.amount, row.currency)} {row.currency}"
    return f"<h1>Pay {escape(text)}</h1>"


def _page(title: str, body: str, status: int = 200) -> Response:
    text = f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>{body}</body></html>'
    return Response(status, text.encode(), HTML)
