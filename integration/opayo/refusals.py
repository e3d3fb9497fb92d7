"""Opayo's errors become ours: three shapes of body, and codes that decide what happens next.

=========================================  ==========================================
Opayo says                                 class
=========================================  ==========================================
401; account, address or IP codes          `Misconfigured`
404, 1012, 1019, 5036                      `NotFound`
1018, 4034, 4035                           `RefundExceedsPayment`
4001–4005, 4042, 5992                      `VendorTxCodeUsed`
1006, 1011, 5086, 5999                     `Rejected`: a new session key is needed
429; 503 for a read; 4050                  `Throttled`, `Transient`
408, 5xx, gateway and bank link codes      `OutcomeUnknown` for a write, else `Unreachable`
anything else                              `Rejected`
=========================================  ==========================================
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from integration.errors import (
    Evidence,
    IntegrationError,
    Misconfigured,
    NotFound,
    RefundExceedsPayment,
    Rejected,
    Throttled,
    TooManyRows,
    Transient,
    VendorTxCodeUsed,
)
from integration.http import Answer
from integration.opayo.schema import mask_digits
from integration.opayo.wire import PiFault, code_text

# The gateway or its link to the bank failed on the way: the payment may exist.
LOST_CODES = frozenset(
    "2002 2003 2008 2015 5003 5993 5994 5996 5997 6000 9998 9999".split()  # noqa: SIM905
)
_ACCOUNT_CODES = frozenset(
    """1001 1002 1030 3008 3011 3034 3037 3068 3069 3076 3095 3096 3097 3098 3099 3100 4000 4006 4007 4008
    4019 4020 4047 5005 5006""".split()  # noqa: SIM905
)
_SHOPPER_CODES = frozenset(
    """1007 1008 2000 2001 2013 2022 3048 3049 3050 3051 3052 3053 3054 3055 3057 3058 3059 3061 3062 3104
    3105 3336 4021 4022 4026 4027 4046 4048 4057 4058 5011 5013 5015 5016 5017 5018 5019 5025 5026 5027 5028
    5029 5035 5995""".split()  # noqa: SIM905
)
_SESSION_CODES = frozenset(["1006", "1011", "5086", "5999"])
_NOT_FOUND_CODES = frozenset(["1012", "1019", "4028", "5036"])
_EXCESS_CODES = frozenset(["1018", "4034", "4035"])
_USED_CODES = frozenset(["4001", "4002", "4003", "4004", "4005", "4042", "5992"])
_NOT_ALLOWED_CODES = frozenset(
    "1013 1014 1017 1021 3102 3192 4036 4037 4038 4039 4040 4041 4049 4051 4052 4053".split()  # noqa: SIM905
)


def refusal(answer: Answer) -> IntegrationError | None:
    """The error an answer amounts to, or `None` for one of the 200s."""
    if answer.status < 300:
        return None
    if answer.status == 401:
        return Misconfigured(
            "Opayo refuses the integration key and password",
            code="opayo.credentials",
            hint="Create API credentials in MyOpayo (the old pair dies at once), enter them for this pair "
            "and check with `opayo-syspro doctor`.",
        )
    if answer.status == 408 or answer.status >= 500:
        # A proxy may answer 503 after the gateway has taken the payment.
        return answer.lost(f"it answered HTTP {answer.status}") if _counts(answer) else answer.failure()
    if answer.status == 429:
        return answer.failure()
    return _from_body(answer)


def _counts(answer: Answer) -> bool:
    return answer.call.write or answer.status != 503


def _from_body(answer: Answer) -> IntegrationError:
    if "json" not in answer.headers.get("content-type", ""):
        return Misconfigured(
            f"{answer.call.method} {answer.call.path} got HTTP {answer.status} from something that is not Opayo",
            code="opayo.address",
            hint="Check the three Opayo addresses of this pair: the Pi address ends in /api/v1.",
        )
    try:
        faults = _faults(msgspec.json.decode(answer.body, type=PiFault))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return answer.lost(f"its error makes no sense (HTTP {answer.status})")
    first = faults[0]
    code = code_text(first.code if first.code is not None else first.status_code)
    if not code and answer.status == 404:
        code = "1012"
    evidence = {"http_status": answer.status, "property": first.property}
    return error_of(code, "; ".join(map(_words, faults)), answer, evidence)


def _faults(body: PiFault) -> list[PiFault]:
    return body.errors or [body]


def _words(fault: PiFault) -> str:
    text = fault.description or fault.status_detail or fault.client_message or "no reason given"
    return f"{text} ({fault.property})" if fault.property else text


def error_of(code: str, text: str, answer: Answer, evidence: Evidence | None = None) -> IntegrationError:
    """The error for one of Opayo's codes.

    Args:
        code: Opayo's four digits; empty or unknown ones are `Rejected`.
        text: Opayo's words; long digit runs are struck out.
        answer: whose call decides whether something may have happened.
        evidence: further facts.
    """
    if code in LOST_CODES:
        return answer.lost(f"it says {code} {mask_digits(text)}")
    about = answer.call.about or answer.call.path
    title = f"Opayo refused {about}: {mask_digits(text)}"
    facts: Evidence = {"opayo_code": code, **(evidence or {})}
    for codes, build in _BY_CODE:
        if code in codes:
            return build(title, facts)
    return Rejected(title, code="opayo.rejected", evidence=facts)


def _not_allowed(title: str, facts: Evidence) -> IntegrationError:
    return Rejected(
        title,
        code="opayo.not-allowed",
        hint="The state of the transaction does not allow it: read it and decide anew.",
        evidence=facts,
    )


def _session(title: str, facts: Evidence) -> IntegrationError:
    return Rejected(
        title,
        code="opayo.session-expired",
        hint="Fetch a new merchant session key and let the shopper enter the card again.",
        evidence=facts,
    )


def _shopper(title: str, facts: Evidence) -> IntegrationError:
    return Rejected(
        title,
        code="opayo.shopper-must-act",
        hint="The shopper must correct the card or prove who they are.",
        evidence=facts,
    )


def _later(title: str, facts: Evidence) -> IntegrationError:
    return Transient(title, code="opayo.not-settled-yet", evidence=facts)


def _account(title: str, facts: Evidence) -> IntegrationError:
    return Misconfigured(title, code="opayo.account", evidence=facts)


_BY_CODE: tuple[tuple[frozenset[str], Callable[[str, Evidence], IntegrationError]], ...] = (
    (_EXCESS_CODES, lambda title, facts: RefundExceedsPayment(title, evidence=facts)),
    (_USED_CODES, lambda title, facts: VendorTxCodeUsed(title, evidence=facts)),
    (_NOT_FOUND_CODES, lambda title, facts: NotFound(title, code="opayo.not-found", evidence=facts)),
    (_SESSION_CODES, _session),
    (_ACCOUNT_CODES, _account),
    (_NOT_ALLOWED_CODES, _not_allowed),
    (_SHOPPER_CODES, _shopper),
    (frozenset(["4050"]), _later),
)

# --- Reporting & Admin ----------------------------------------------------------------------------

REPORTING_NOT_FOUND = frozenset(["0043", "2238", "2242"])
REPORTING_NOTHING = frozenset(["2212"])
"""Nothing succeeded in the period: an empty list, no error."""
_REPORTING_ACCOUNT = frozenset(["0008", "0010", "0011", "0044", "2128", "4020"])


def reporting_error(code: str, text: str, about: str) -> IntegrationError:
    """The error for a Reporting code; its numbers overlap with the transaction codes and mean other things."""
    facts: Evidence = {"opayo_reporting_code": code}
    title = f"Opayo Reporting refused {about}: {mask_digits(text) or 'no reason given'}"
    if code in _REPORTING_ACCOUNT:
        return Misconfigured(
            title,
            code="opayo.reporting-account",
            hint="Check vendor, Reporting user, password and the list of valid IP addresses in MyOpayo.",
            evidence=facts,
        )
    if code == "2213":
        return Throttled(title, code="opayo.reporting-quota", evidence=facts, retry_after=900)
    if code == "0235":
        return TooManyRows(title, evidence=facts)
    # 2245: the transaction has not been scored yet.
    if code in ("0009", "2015", "2245"):
        return Transient(title, code="opayo.reporting-trouble", evidence=facts)
    return Rejected(title, code="opayo.reporting-refused", evidence=facts)
