"""Is this the server that we know? Its key is pinned; any other key ends the connection before we log in."""

from __future__ import annotations

from collections.abc import Sequence

import asyncssh

from integration.errors import Misconfigured


class Pinned(asyncssh.SSHClient):
    """A client that trusts the pinned keys and nothing else.

    Attributes:
        seen: the fingerprint of a key that was refused.
    """

    def __init__(self, fingerprints: Sequence[str]) -> None:
        self._fingerprints = fingerprints
        self.seen = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Whether the server's key is one that is pinned."""
        found = key.get_fingerprint("sha256")
        if found in self._fingerprints:
            return True
        self.seen = found
        return False


def fingerprints(host_key: str) -> tuple[str, ...]:
    """The SHA-256 fingerprints of pinned keys, each a key or already a fingerprint.

    Raises:
        Misconfigured: there is none, or one is neither.
    """
    lines = [line.strip() for line in host_key.splitlines() if line.strip()]
    if not lines:
        raise Misconfigured(
            "No host key of the file server is pinned",
            code="sftp.host-key",
            hint="Ask its operator for the key or its fingerprint (SHA256:…) and put it in `host_key`.",
        )
    return tuple(_fingerprint(line) for line in lines)


def _fingerprint(line: str) -> str:
    if line.startswith("SHA256:"):
        return line.rstrip("=")
    try:
        return asyncssh.import_public_key(line).get_fingerprint("sha256")
    except asyncssh.KeyImportError:
        raise Misconfigured(
            "The pinned host key is neither a public key nor a fingerprint",
            code="sftp.host-key",
            hint="Write it as `ssh-ed25519 AAAA…`, without the server's name before it, or as `SHA256:…`.",
        ) from None
