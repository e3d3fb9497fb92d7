"""Every route of our own with the role it needs, and a body that its shape takes."""

from __future__ import annotations

from typing import NamedTuple

PAIR = "/api/v1/pairs/{pair}"
ID = "90544699-1BA3-4471-8AC5-32D0305DD51C"
EMPTY: dict[str, object] = {}
FLOW = f"{PAIR}/flows/payment"
SUBSCRIBER = f"{PAIR}/subscribers/sub_none"
MAPPING = f"{PAIR}/mappings/ar_payment"

CHARGEBACK: dict[str, object] = {
    "chargeback_ref": "CB-1",
    "stage": "retrieval_request",
    "amount": 1,
    "currency": "GBP",
    "received_on": "2025-06-02",
}

BACKFILL: dict[str, object] = {"from_at": "2025-01-01T00:00:00Z", "to_at": "2025-01-02T00:00:00Z"}

PLAN: dict[str, object] = {
    "name": "The box",
    "amount": 1,
    "currency": "GBP",
    "description": "Box",
    "interval": "month",
}


class Route(NamedTuple):
    method: str
    path: str
    role: str
    body: dict[str, object] | None = None

    def at(self, pair: str) -> str:
        return self.path.replace("{pair}", pair)


ROUTES = [
    Route("GET", "/metrics", "viewer"),
    Route("GET", "/api/v1/keys", "admin"),
    Route("POST", "/api/v1/keys", "admin", {"name": "x", "role": "viewer"}),
    Route("DELETE", "/api/v1/keys/999999", "admin"),
    Route("GET", "/api/v1/pairs", "viewer"),
    Route("GET", PAIR, "viewer"),
    Route("PUT", PAIR, "admin", EMPTY),
    Route("GET", f"{PAIR}/summary", "viewer"),
    Route("GET", f"{PAIR}/payments", "viewer"),
    Route("GET", f"{PAIR}/payments/1", "viewer"),
    Route("POST", f"{PAIR}/payments/1/release", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/payments/1/reject", "operator", {"note": "x"}),
    Route("GET", f"{PAIR}/inbox", "viewer"),
    Route("GET", f"{PAIR}/alerts", "viewer"),
    Route("POST", f"{PAIR}/alerts", "operator", {"code": "a.b", "subject": "s", "title": "t"}),
    Route("POST", f"{PAIR}/alerts/1/acknowledge", "operator"),
    Route("GET", f"{PAIR}/cards", "viewer"),
    Route("POST", f"{PAIR}/cards", "operator", {"transaction_id": ID, "customer": "1"}),
    Route("GET", f"{PAIR}/cards/1", "viewer"),
    Route("DELETE", f"{PAIR}/cards/1", "operator"),
    Route("GET", f"{PAIR}/plans", "viewer"),
    Route("PUT", f"{PAIR}/plans/box", "admin", PLAN),
    Route("GET", f"{PAIR}/subscriptions", "viewer"),
    Route("POST", f"{PAIR}/subscriptions", "operator", {"plan": "x", "token_id": 1, "start": "2027-01-31"}),
    Route("GET", f"{PAIR}/subscriptions/1", "viewer"),
    Route("GET", f"{PAIR}/subscriptions/1/charges", "viewer"),
    Route("POST", f"{PAIR}/subscriptions/1/decide", "operator", {"action": "pause"}),
    Route("GET", f"{PAIR}/lanes", "viewer"),
    Route("POST", f"{PAIR}/lanes/pause", "operator", {"lane": "x", "reason": "x"}),
    Route("POST", f"{PAIR}/lanes/resume", "operator", {"lane": "x", "reason": "x"}),
    Route("GET", f"{PAIR}/dead-letters", "viewer"),
    Route("GET", f"{PAIR}/dead-letters/1", "viewer"),
    Route("PATCH", f"{PAIR}/dead-letters/1", "operator", {"corrections": [], "note": "x"}),
    Route("POST", f"{PAIR}/dead-letters/1/replay", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/dead-letters/replay", "operator", {"note": "x"}),
    Route("GET", f"{PAIR}/dead-letters/causes", "viewer"),
    Route("GET", f"{PAIR}/dead-letters/1/fields", "viewer"),
    Route("GET", f"{PAIR}/repairs", "viewer"),
    Route("GET", f"{PAIR}/repairs/1", "viewer"),
    Route("GET", f"{PAIR}/repair-classes", "viewer"),
    Route("POST", f"{PAIR}/repairs/1/accept", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/repairs/1/refuse", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/repairs/1/undo", "operator", {"note": "x"}),
    Route("GET", f"{PAIR}/fix-rules", "viewer"),
    Route("POST", f"{PAIR}/fix-rules", "operator", {"code": "a.b", "field": "customer", "note": "x"}),
    Route("DELETE", f"{PAIR}/fix-rules/nosuch", "operator"),
    Route("GET", f"{PAIR}/stock-aliases", "viewer"),
    Route("PUT", f"{PAIR}/stock-aliases", "operator", {"alias": "a", "stock_code": "A100"}),
    Route("DELETE", f"{PAIR}/stock-aliases?alias=nosuch", "operator"),
    Route("GET", f"{PAIR}/customers", "viewer"),
    Route("GET", f"{PAIR}/customers/0000001", "viewer"),
    Route("GET", f"{PAIR}/customer-links", "viewer"),
    Route("POST", f"{PAIR}/customer-links", "operator", {"account": "x", "customer": "x"}),
    Route("POST", f"{PAIR}/customer-links/preview", "viewer", {"account": "x", "customer": "x"}),
    Route("POST", f"{PAIR}/customer-links/1/reject", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/customer-links/1/ignore", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/customer-links/1/unlink", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/customer-links/1/resolve", "operator", {"fields": {}, "note": "x"}),
    Route("GET", f"{PAIR}/refund-proposals", "viewer"),
    Route("POST", f"{PAIR}/refund-proposals/1/approve", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/refund-proposals/1/refuse", "operator", {"note": "x"}),
    Route("GET", f"{PAIR}/files", "viewer"),
    Route("POST", f"{PAIR}/files", "operator", EMPTY),
    Route("POST", f"{PAIR}/files/preview", "viewer", EMPTY),
    Route("GET", f"{PAIR}/files/layouts", "viewer"),
    Route("GET", f"{PAIR}/files/1", "viewer"),
    Route("GET", f"{PAIR}/files/1/rows", "viewer"),
    Route("GET", f"{PAIR}/files/1/bad-rows", "viewer"),
    Route("GET", f"{PAIR}/flows", "viewer"),
    Route("GET", f"{FLOW}/versions/1", "viewer"),
    Route("GET", f"{FLOW}/versions/1/yaml", "viewer"),
    Route("GET", f"{FLOW}/diff?before=1&after=1", "viewer"),
    Route("POST", f"{FLOW}/validate", "viewer", {"yaml": "name: x"}),
    Route("POST", f"{FLOW}/versions", "admin", {"yaml": "name: x"}),
    Route("POST", f"{FLOW}/versions/1/publish", "admin"),
    Route("POST", f"{FLOW}/versions/1/test-run", "operator", {"status": "confirmed"}),
    Route("GET", f"{PAIR}/mappings", "viewer"),
    Route("GET", f"{MAPPING}/versions/1", "viewer"),
    Route("POST", f"{MAPPING}/versions", "admin", {"yaml": "name: x"}),
    Route("POST", f"{MAPPING}/versions/1/publish", "admin"),
    Route("GET", f"{PAIR}/chargebacks", "viewer"),
    Route("POST", f"{PAIR}/chargebacks", "operator", CHARGEBACK),
    Route("GET", f"{PAIR}/chargebacks/1", "viewer"),
    Route("POST", f"{PAIR}/chargebacks/1/represent", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/chargebacks/1/accept", "operator", {"note": "x"}),
    Route("POST", f"{PAIR}/chargebacks/1/assign", "operator", {"owner": "x"}),
    Route("POST", f"{PAIR}/chargebacks/1/comments", "operator", {"text": "x"}),
    Route("POST", f"{PAIR}/chargebacks/1/evidence", "operator", EMPTY),
    Route("GET", f"{PAIR}/chargebacks/1/pack", "viewer"),
    Route("GET", f"{PAIR}/sweeps", "viewer"),
    Route("GET", f"{PAIR}/sweeps/found", "viewer"),
    Route("GET", f"{PAIR}/sweeps/1", "viewer"),
    Route("POST", f"{PAIR}/sweeps", "operator", EMPTY),
    Route("POST", f"{PAIR}/sweeps/1/pause", "operator"),
    Route("POST", f"{PAIR}/sweeps/1/resume", "operator"),
    Route("POST", f"{PAIR}/sweeps/1/cancel", "operator"),
    Route("POST", f"{PAIR}/backfills", "admin", BACKFILL),
    Route("GET", f"{PAIR}/live", "viewer"),
    Route("GET", f"{PAIR}/events", "viewer"),
    Route("GET", f"{PAIR}/event-types", "viewer"),
    Route("GET", f"{PAIR}/deliveries", "viewer"),
    Route("POST", f"{PAIR}/deliveries/1/replay", "operator"),
    Route("GET", f"{PAIR}/subscribers", "viewer"),
    Route("POST", f"{PAIR}/subscribers", "admin", EMPTY),
    Route("GET", f"{SUBSCRIBER}", "viewer"),
    Route("PATCH", f"{SUBSCRIBER}", "admin", EMPTY),
    Route("DELETE", f"{SUBSCRIBER}", "admin"),
    Route("POST", f"{SUBSCRIBER}/rotate", "admin", EMPTY),
    Route("POST", f"{SUBSCRIBER}/ping", "operator"),
    Route("POST", f"{SUBSCRIBER}/replay", "operator", {"since": "2026-01-01T00:00:00Z"}),
    Route("POST", "/api/v3/transactions", "operator", EMPTY),
    Route("GET", f"/api/v3/transactions/{ID}", "viewer"),
    Route("GET", "/api/v3/requests/NOSUCH", "viewer"),
    Route("POST", f"/api/v3/transactions/{ID}/repeats", "operator", EMPTY),
    Route("POST", f"/api/v3/transactions/{ID}/authorisations", "operator", EMPTY),
    Route("POST", f"/api/v3/transactions/{ID}/refunds", "operator", {"amount": 1, "description": "x"}),
    Route("POST", f"/api/v3/transactions/{ID}/instructions", "operator", {"instructionType": "void"}),
    Route("POST", f"/api/v3/transactions/{ID}/3d-secure-challenge", "operator", {"cRes": "x"}),
    Route("POST", "/api/v3/tokens", "operator", EMPTY),
]
OF_A_PAIR = [route for route in ROUTES if route.path.startswith(PAIR)]
