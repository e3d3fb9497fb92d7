"""The JSON face ``/api/harmony/2.0``: SYSPRO's business objects as strict JSON with idempotency keys."""
