"""The catalogue of steps a flow is built from: what each does and which settings it takes.

The road's seventh step, `reconcile`, is taken by settlements and not by payments; it joins the catalogue with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from msgspec import Struct

from integration.canonical.documents import DocumentKind

StepName = Literal[
    "ingest",
    "validate",
    "map",
    "screen",
    "post",
    "confirm",
    "branch",
    "look_up",
    "aggregate",
    "wait",
    "tell",
    "end",
]
SettingValue = str | int | bool | list[str]
Settings = Mapping[str, SettingValue]

_DAY = 24 * 60

VARIABLES: Mapping[str, str] = {
    "kind": "what the gateway did: payment, deferred, repeat, refund, …",
    "state": "our word for the gateway's state: captured, held, pending, declined, …",
    "status": "Opayo's own word: Ok, NotAuthed, …",
    "currency": "ISO 4217 code of the payment",
    "amount_minor": "the amount in minor units of its currency",
    "card_scheme": "Visa, MasterCard, AmericanExpress, …; empty when unknown",
    "country": "ISO 3166-1 alpha-2 of the billing address; empty when unknown",
    "has_order": "whether the shop has an order for it",
    "order_status": "the shop's word for the order's state; empty without an order",
    "line_count": "number of lines of the order",
    "stock_codes": "list of the stock codes ordered",
    "customer": "the ERP's customer code",
    "customer_on_hold": "whether the ERP has that customer on hold (after look_up)",
    "customer_currency": "ISO 4217 code of the ERP's customer; empty before look_up",
    "hour": "hour of the day in the pair's time zone, 0 to 23",
    "original_known": "whether the payment that a refund or chargeback is about is ours and posted (after look_up)",
    "refund_form": "goods, money or unapplied: how a refund goes through the ledger (after look_up)",
    "refund_pattern": "R1, R2 or R3: by which documents money leaves; the pair's setting (after look_up)",
    "credit_exists": "whether the ERP has the credit of this refund already (after look_up)",
    "stage": "stage of a chargeback: first_chargeback, representment, …; empty for other documents",
    "won": "whether a chargeback ended in our favour",
    "chargeback_posts": "what a stage of a chargeback posts: cash, journal, both or note; empty for other documents",
    "has_subscription": "whether it is a charge of a subscription",
}
"""What a flow's conditions may read, and what it means."""


class Setting(Struct, frozen=True, kw_only=True):
    """One setting of a step.

    Attributes:
        choices: the only texts allowed, in a text or in a list; none allows any.
        least, most: bounds of an integer, or of the number of items of a list.
    """

    kind: Literal["text", "integer", "list"]
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int = 1
    most: int = 50

    def fault(self, value: SettingValue) -> str:
        """What is wrong with a value, as half a sentence; empty when it is right."""
        if self.kind == "integer":
            whole = isinstance(value, int) and not isinstance(value, bool)
            right = isinstance(value, int) and whole and self.least <= value <= self.most
            return "" if right else f"must be a whole number from {self.least} to {self.most}"
        if self.kind == "text":
            texts = [value] if isinstance(value, str) and value else []
        else:
            texts = value if isinstance(value, list) else []
        if not texts or len(texts) > self.most or len(set(texts)) < len(texts):
            return "must be a text" if self.kind == "text" else "must be a list of different texts"
        strange = [text for text in texts if self.choices and text not in self.choices]
        return f"cannot be `{strange[0]}`: {', '.join(self.choices)}" if strange else ""


class Step(Struct, frozen=True, kw_only=True):
    """A step of the catalogue.

    Attributes:
        summary: what it does, for the person who draws the flow.
        one_of: exactly one of these settings must be there.
    """

    name: StepName
    summary: str
    settings: Mapping[str, Setting] = {}
    one_of: tuple[str, ...] = ()

    def faults(self, given: Settings) -> list[str]:
        """What is wrong with a node's settings, one sentence's second half each."""
        found = [f"has no setting `{name}`" for name in sorted(set(given) - set(self.settings))]
        for name, setting in self.settings.items():
            if name not in given:
                found.extend([f"needs the setting `{name}`"] if setting.required else [])
            elif fault := setting.fault(given[name]):
                found.append(f"has a wrong setting: `{name}` {fault}")
        if self.one_of and sum(name in given for name in self.one_of) != 1:
            found.append(f"needs exactly one of the settings {' and '.join(self.one_of)}")
        return found


STEPS: Mapping[StepName, Step] = {
    step.name: step
    for step in (
        Step(name="ingest", summary="Read the document anew from where it came."),
        Step(name="validate", summary="Is it complete and lawful to post? Else a dead letter."),
        Step(
            name="map",
            summary="Say what the ERP calls each of these things, by mappings.",
            settings={"mappings": Setting(kind="list", required=True)},
        ),
        Step(
            name="screen",
            summary="Would a careful clerk let it through? Else it is held.",
        ),
        Step(
            name="post",
            summary="Post documents to the ERP, each once.",
            settings={"documents": Setting(kind="list", required=True, choices=get_args(DocumentKind))},
        ),
        Step(name="confirm", summary="Read back what the ERP stored, and compare."),
        Step(name="branch", summary="Take the first way whose condition holds, or the other one."),
        Step(
            name="look_up",
            summary="Ask the ERP about what the document names.",
            settings={
                "what": Setting(kind="list", required=True, choices=("customer", "stock", "rate", "original"))
            },
        ),
        Step(
            name="aggregate",
            summary="Gather documents that agree in some fields, and add or net their amounts.",
            settings={
                "by": Setting(
                    kind="list",
                    required=True,
                    choices=("currency", "card_scheme", "customer", "kind"),
                    most=4,
                ),
                "operation": Setting(kind="text", required=True, choices=("group", "sum", "net")),
                "minutes": Setting(kind="integer", least=1, most=_DAY),
                "count": Setting(kind="integer", least=2, most=1000),
            },
            one_of=("minutes", "count"),
        ),
        Step(
            name="wait",
            summary="Wait for some time, or until the order it posted is shipped or invoiced in the ERP.",
            settings={
                "minutes": Setting(kind="integer", least=1, most=30 * _DAY),
                "until": Setting(kind="text", choices=("shipped", "invoiced")),
                "days": Setting(kind="integer", least=1, most=365),
            },
            one_of=("minutes", "until"),
        ),
        Step(
            name="tell",
            summary="Tell the shop its order's new status, or a person what happened.",
            settings={
                "whom": Setting(kind="text", required=True, choices=("shop", "person")),
                "status": Setting(kind="text"),
                "note": Setting(kind="text"),
            },
        ),
        Step(name="end", summary="Nothing more to do."),
    )
}
"""All steps by name. The catalogue is closed: a flow cannot bring its own code."""
