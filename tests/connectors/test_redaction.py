"""Secrets and business data in URLs are struck out of whatever a person or a log may see."""

from __future__ import annotations

import pytest

from integration.redaction import redact


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://key:secret@host/x", "https://…@host/x"),
        (
            "/Logon?Operator=A&OperatorPassword=p&CompanyId=1&CompanyPassword=q",
            "/Logon?Operator=A&OperatorPassword=…&CompanyId=1&CompanyPassword=…",
        ),
        ("/x?token=abc&XmlIn=<a/>", "/x?token=…&XmlIn=…"),
        ("/Post?userid=AB%20%20&XmlParameters=%3Ca%3E&xmlin=", "/Post?userid=…&XmlParameters=…&xmlin=…"),
        ('GET http://h/Logoff?UserId=AB%20%20 "HTTP/1.1 200"', 'GET http://h/Logoff?UserId=… "HTTP/1.1 200"'),
        ("/plain", "/plain"),
    ],
)
def test_secrets_in_addresses_are_struck_out(url: str, shown: str) -> None:
    assert redact(url) == shown
