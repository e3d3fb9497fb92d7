"""Where others leave files for a pair, and how its files are read."""

from __future__ import annotations

from msgspec import Struct

from integration.statements.layout import read_layout


class FileSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """The folder on somebody's SFTP server, and the layouts of the pair's files.

    Attributes:
        host: of the SFTP server; without one, files come by upload only.
        host_key: the server's public key, or its fingerprint `SHA256:…`; nothing is sent to a server with another.
        password: or `private_key` with its `passphrase`.
        folder: where files are left, `archive` where they go when they were taken.
        layouts: which of the product's layouts are used; all of them when empty.
        own_layouts: further layouts, as documents.

    Raises:
        ValueError: one of `own_layouts` is no layout.
    """

    host: str = ""
    port: int = 22
    user: str = ""
    host_key: str = ""
    password: str = ""
    private_key: str = ""
    passphrase: str = ""
    folder: str = "."
    archive: str = "archive"
    layouts: list[str] = []
    own_layouts: list[dict[str, object]] = []

    def __post_init__(self) -> None:
        for document in self.own_layouts:
            read_layout(document)
