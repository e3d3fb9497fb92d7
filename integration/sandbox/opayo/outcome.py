"""What the bank, the address check and 3-D Secure make of a new transaction."""

from __future__ import annotations

from uuid import uuid4

from integration.sandbox.opayo.cards import three_d_secure
from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.store import Avs, Transaction

_PASSED = frozenset({"Authenticated", "AttemptOnly"})


def decide(account: Account, row: Transaction) -> None:
    """Set status, code and states of a fresh transaction by account, card, name and address.

    A challenge leaves it at ``3DAuth``; everything else is final until an instruction.
    """
    _check_address(account, row)
    row.three_ds = "NotChecked"
    if _authenticates(account, row):
        result = three_d_secure(row.card.name if row.card else "")
        row.acs_id, row.ds_id = str(uuid4()), str(uuid4())
        if result == "Challenge":
            row.status, row.status_code, row.txstate = "3DAuth", "2021", 5
            row.status_detail = "Please redirect your customer to the ACSURL to complete the 3DS Transaction"
            return
        row.three_ds = result
        if _refused_by_rules(account, row):
            row.status, row.status_code, row.txstate, row.bare = "Rejected", "4026", 10, True
            row.status_detail = (
                "3D-Authentication failed. This vendor's rules require a successful 3D-Authentication."
            )
            return
    _apply_rules(account, row)


def authorise_bank(row: Transaction) -> None:
    """Ask the pretended bank, address rules having passed."""
    if row.card is not None and row.card.declined:
        row.status, row.status_code, row.txstate, row.bank_code = "NotAuthed", "2000", 12, "05"
        row.status_detail = "The Authorisation was Declined by the bank."
        row.decline = {
            "additionalDeclineCode": "03",
            "additionalDeclineCodeDescription": "DECLINED",
            "additionalDeclineCodeCategory": "03",
        }
        return
    row.bank_code, row.bank_auth = "00", "999777"
    row.status, row.status_code = "Ok", "0000"
    row.status_detail = "The Authorisation was Successful."
    row.txstate = 14 if row.type == "Deferred" else 16
    if row.type == "Authenticate":
        _authenticate(row)


def _authenticate(row: Transaction) -> None:
    if row.three_ds in _PASSED:
        row.status, row.status_code, row.txstate = "Authenticated", "2010", 15
        row.status_detail = "The Authentication was Successful."
        return
    row.status, row.status_code, row.txstate = "Registered", "2011", 21
    row.status_detail = "The transaction was Registered; no 3D-Authentication took place."
    row.bank_code = row.bank_auth = ""
    row.bare = True


def _apply_rules(account: Account, row: Transaction) -> None:
    rules = account.strict and row.details.apply_avs in {"UseMSPSetting", "Force"}
    if rules and row.avs is not None and row.avs.status != "AllMatched":
        row.status, row.status_code, row.txstate, row.bank_code = "Rejected", "2001", 10, "00"
        row.status_detail = "The Authorisation was Rejected by the vendor rule-base."
        return
    authorise_bank(row)


def _authenticates(account: Account, row: Transaction) -> bool:
    if row.details.account_type != "E" or row.details.apply_3ds == "Disable":
        return False
    return account.strict or row.details.apply_3ds in {"Force", "ForceIgnoringRules"}


def _refused_by_rules(account: Account, row: Transaction) -> bool:
    if row.details.apply_3ds == "ForceIgnoringRules" or row.three_ds in _PASSED:
        return False
    return account.strict or row.three_ds == "NotAuthenticated"


def _check_address(account: Account, row: Transaction) -> None:
    mode = row.details.apply_avs
    if mode == "Disable" or (mode == "UseMSPSetting" and not account.strict):
        row.avs = Avs()
        return
    address = _compare(row.details.billing.get("address1", ""), "88")
    postal_code = _compare(row.details.billing.get("postalCode", ""), "412")
    cv2 = row.card.cv2 if row.card is not None else "NotProvided"
    row.avs = Avs(_overall(address, postal_code, cv2), address, postal_code, cv2)


def _compare(text: str, wanted: str) -> str:
    # Only digits take part: names of streets and towns never do.
    digits = "".join(character for character in text if character.isdigit())
    if not digits:
        return "NotProvided"
    return "Matched" if digits == wanted else "NotMatched"


def _overall(address: str, postal_code: str, cv2: str) -> str:
    both = address == postal_code == "Matched"
    if both and cv2 == "Matched":
        return "AllMatched"
    if cv2 == "Matched":
        return "SecurityCodeMatchOnly"
    return "AddressMatchOnly" if both else "NoMatches"
