"""Where the folder is and who we are there."""

from __future__ import annotations

from msgspec import Struct


class SftpConfig(Struct, frozen=True, kw_only=True):
    """A folder on a file server.

    Attributes:
        host_key: the server's public key (`ssh-ed25519 AAAA…`) or its fingerprint (`SHA256:…`); several, one a line,
            while the server changes its key. Without one nothing is ever sent.
        password: or a private key, or both.
        private_key: in OpenSSH's form, or in PKCS#8 form, which `passphrase` may open.
        folder: where others leave files; relative to where the server puts us at login, or absolute.
        archive: where they go when they are taken; a name without `/` is a folder inside `folder`.
        connect_seconds: until we are logged in.
        read_seconds: for each call after that.
    """

    host: str
    user: str
    host_key: str
    port: int = 22
    password: str = ""
    private_key: str = ""
    passphrase: str = ""
    folder: str = "."
    archive: str = "archive"
    connect_seconds: float = 20.0
    read_seconds: float = 60.0
