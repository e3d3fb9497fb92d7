"""What sites do differently over e.net: every point that no public source settles, with what we assume."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from integration.syspro.enet.text import Decoding

KeyFormat = int | Literal["learn", "alpha"]


class EnetConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site's habits. The defaults suit what has been recorded of SYSPRO 7 and reported of SYSPRO 8.

    Attributes:
        use_post_ld: whether documents travel in the body of `POST Transaction/PostLD` rather than in the query
            of `GET Transaction/Post`. One client is known that uses it, and SYSPRO 7 may lack it, so `auto` asks
            once, with a rehearsal (`ValidateOnly`) of an empty document; `always` and `never` do not ask.
        token_style: SYSPRO 7 ends its tokens with two blanks and refuses to log off without them (`verbatim`);
            clients of SYSPRO 8 trim them, which `trimmed` does too.
        language_code: sent with the logon when not empty (`05` is English); recorded logons have none.
        local_currency: SYSPRO's own code of the company's currency, should `GetLogonProfile` not tell it: the
            names of its elements are known from a client's code, not from a recording.
        customer_key, invoice_key: how keys are stored: a width to which digits are padded with zeros, `alpha`
            for keys kept as they are, or `learn` to read some rows at the first posting and see.
        order_warnings: what warnings do to an order: `W` takes it and tells them, `N` refuses, `Y` hides them.
        money_warnings: the same for payments, invoices and journals; a warning about money stops it, so `N`.
        decode: how an answer's bytes are read. Its prolog says Windows-1252 and cannot be trusted, so `auto` takes
            UTF-8 if it is that without exception, else Windows-1252.
        url_room: characters of an encoded query. The server's own limit for line and headers is 16,384 bytes
            unless the site changed it; longer look-ups are cut into several, longer documents are refused.
        credit_number: whether the `_CRD` number of unapplied cash, which ARSTPY does not tell, is read after a
            payment. Needed only where such cash leaves no movement under our reference; `auto` reads until it
            has seen one movement.
    """

    use_post_ld: Literal["auto", "always", "never"] = "auto"
    token_style: Literal["verbatim", "trimmed"] = "verbatim"  # noqa: S105
    language_code: str = ""
    local_currency: str = ""
    customer_key: KeyFormat = "learn"
    invoice_key: KeyFormat = "learn"
    order_warnings: Literal["N", "Y", "W"] = "W"
    money_warnings: Literal["N", "Y"] = "N"
    decode: Decoding = "auto"
    url_room: int = 8000
    credit_number: Literal["auto", "always", "never"] = "auto"
