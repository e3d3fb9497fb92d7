"""Settings of the Opayo stand-in; every secret has a default that opens nothing real."""

from __future__ import annotations

import os

import msgspec

CURRENCIES = (
    "GBP",
    "EUR",
    "USD",
    "JPY",
    "AUD",
    "CAD",
    "CHF",
    "DKK",
    "HKD",
    "NOK",
    "NZD",
    "PLN",
    "SEK",
    "SGD",
    "ZAR",
)


def pace_from_environment() -> float:
    """Read by what waits are divided: ``OPAYO_SYSPRO_PACE``, 1 when absent."""
    return max(float(os.environ.get("OPAYO_SYSPRO_PACE", "1") or "1"), 1.0)


class Quirks(msgspec.Struct, frozen=True):
    """Behaviours on which sources disagree, or which a test may want the other way.

    Attributes:
        credential_type_required: Repeat, ``save`` and ``reusable`` need ``credentialType``.
        refuse_refund_currency: a Refund or Authorise body holding ``currency`` gets 422.
        lenient_session_read: ``GET /merchant-session-keys/{msk}`` needs no credentials.
        list_failures: ``getTransactionList`` shows failed attempts too.
        string_error_codes: ``code`` in ``errors[]`` is a string instead of an integer.
        naive_list_times: lists compare UK wall-clock times as they are written, so that the hour that the clocks
            repeat is one hour to them; otherwise such a time is its first occurrence.
        related_elements: ``getTransactionDetail`` tells the transaction that a refund or repeat was made of.
    """

    credential_type_required: bool = True
    refuse_refund_currency: bool = False
    lenient_session_read: bool = False
    list_failures: bool = True
    string_error_codes: bool = False
    naive_list_times: bool = False
    related_elements: bool = True


class Account(msgspec.Struct, frozen=True):
    """One vendor account.

    Attributes:
        vendor: vendor name, at most 15 letters and digits.
        integration_key: user name of Pi's HTTP Basic authentication.
        integration_password: its password.
        strict: AVS/CV2 and 3-D Secure are on, and their rules reject (as the published ``sandboxEC``).
    """

    vendor: str
    integration_key: str
    integration_password: str
    strict: bool = False


class OpayoSandboxConfig(msgspec.Struct, frozen=True):
    """How one stand-in is set up.

    Attributes:
        vendor: the lenient vendor (AVS/CV2 and 3-D Secure off by default); ``strict_vendor`` is its strict twin.
        integration_key: Pi user of ``vendor``; the twin's is this plus ``EC``.
        integration_password: Pi password of both.
        reporting_user: MyOpayo user allowed to use Reporting.
        reporting_password: its password; it signs and never travels.
        webhook_secret: secret of the JSON webhook until a subscriber brings its own.
        webhook_url: first subscriber of ``vendor``; empty for none.
        currencies: ISO 4217 codes the account takes, of zero or two decimals.
        valid_ips: callers Reporting and Server accept; empty for all.
        merchant_number: the acquirer's number for the account.
        public_url: scheme and host in links handed out; empty to follow the request's Host header.
        pace: divisor of every wait for retries and notifications.
        notify_timeout: seconds a receiver has to answer a push, not divided.
        tick_seconds: how often it looks at what its clock has made due.
        seed: of the faults.
        supports: fault names this stand-in acts.
        list_maximum: rows that a window of Reporting may match; above it is 0235.
        quirks: see :class:`Quirks`.
    """

    vendor: str = "sandbox"
    strict_vendor: str = "sandboxEC"
    integration_key: str = "sandbox-integration-key"
    integration_password: str = "sandbox-integration-password"  # noqa: S105 - opens this stand-in only
    reporting_user: str = "reports"
    reporting_password: str = "S3cret-Pw"  # noqa: S105
    webhook_secret: str = "whsec_test_0123456789"  # noqa: S105
    webhook_url: str = ""
    currencies: tuple[str, ...] = CURRENCIES
    valid_ips: tuple[str, ...] = ()
    merchant_number: str = "1234567"
    public_url: str = ""
    pace: float = msgspec.field(default_factory=pace_from_environment)
    notify_timeout: float = 10.0
    tick_seconds: float = 1.0
    seed: int = 0
    supports: frozenset[str] = frozenset(
        {
            "delay",
            "slow",
            "drop",
            "commit-then-drop",
            "5xx",
            "garbage",
            "clock-skew",
            "event-doubled",
            "event-reordered",
            "event-delayed",
            "event-forged",
        }
    )
    list_maximum: int = 50_000
    quirks: Quirks = Quirks()

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The vendors served, the lenient one first."""
        lenient = Account(self.vendor, self.integration_key, self.integration_password)
        if not self.strict_vendor:
            return (lenient,)
        strict = Account(
            self.strict_vendor, f"{self.integration_key}EC", self.integration_password, strict=True
        )
        return (lenient, strict)
