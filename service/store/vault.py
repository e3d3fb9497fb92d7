"""The vault: seals the secrets that the database keeps, under two live keys.

The first key seals, both open: a key is changed without a pause by putting the new one in front and
rotating what is stored. Keys come from the settings, or from a file that only its owner reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from integration.errors import Misconfigured

KEY_FILE = "vault.key"
LIVE_KEYS = 2


class Vault:
    """Seals and opens secrets; knows nothing of where they are stored."""

    def __init__(self, keys: Sequence[str], reread: Callable[[], Sequence[str]] | None = None) -> None:
        """Takes the live keys.

        Args:
            keys: the current key and, if there is one, the previous; each 32 bytes in URL-safe base64.
            reread: gives the keys as they are now, when another process may have turned them.

        Raises:
            Misconfigured: there is none, there are more than two, or one is not a key.
        """
        self._reread = reread
        self._take(keys)

    def _take(self, keys: Sequence[str]) -> None:
        if not 1 <= len(keys) <= LIVE_KEYS:
            raise _bad_keys(f"The vault takes one or two keys and was given {len(keys)}")
        self._mark = _mark(keys)
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys])
        except ValueError:
            raise _bad_keys("A key of the vault is not 32 bytes in URL-safe base64") from None

    def _refresh(self) -> bool:
        """Take keys that were turned since; whether there were any."""
        keys: Sequence[str] = ()
        if self._reread is not None:
            with contextlib.suppress(Misconfigured, OSError):  # those that opened the vault stay good
                keys = self._reread()
        if not keys or _mark(keys) == self._mark:
            return False
        self._take(keys)
        return True

    def __repr__(self) -> str:
        return "Vault(…)"

    def __reduce__(self) -> str:
        raise TypeError("a vault is not copied to another process: open it there")

    def seal(self, secret: bytes | str, context: str) -> bytes:
        """Seals a secret for one place.

        Args:
            secret: the secret; bytes must be UTF-8.
            context: what it is for, as `pair:north/opayo.password`; opening with another context fails,
                so a sealed secret copied into another row stays closed.
        """
        if "\0" in context:
            raise ValueError("a context holds no zero byte")
        self._refresh()
        text = secret.encode() if isinstance(secret, str) else secret
        return self._fernet.encrypt(context.encode() + b"\0" + text)

    def open(self, sealed: bytes, context: str | None = None) -> str:
        """The secret.

        Args:
            sealed: what `seal` returned.
            context: the context it was sealed for; not checked when absent.

        Raises:
            Misconfigured: no live key opens it, or it belongs to another context.
        """
        try:
            owner, _, secret = self._fernet.decrypt(sealed).partition(b"\0")
        except InvalidToken:
            if self._refresh():
                return self.open(sealed, context)
            raise _locked(context) from None
        if context is not None and owner.decode() != context:
            raise Misconfigured(
                f"The sealed secret of `{context}` belongs to another place",
                code="vault.context",
                hint="Enter the secret of this pair again.",
            )
        return secret.decode()

    def rotate(self, sealed: bytes) -> bytes:
        """The same secret under the current key.

        Raises:
            Misconfigured: no live key opens it.
        """
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            if self._refresh():
                return self.rotate(sealed)
            raise _locked(None) from None


def _mark(keys: Sequence[str]) -> bytes:
    """What tells keys apart without being one."""
    return hashlib.sha256("\n".join(key.strip() for key in keys).encode()).digest()


def new_key() -> str:
    """A fresh random key, as the settings take it."""
    return Fernet.generate_key().decode()


def open_vault(keys: Sequence[str], data_dir: Path) -> Vault:
    """The vault of the settings' keys, or of the key file, which is made if missing.

    Raises:
        Misconfigured: the keys are wrong, or others may read the key file.
    """
    if keys:
        return Vault(keys)
    path = data_dir / KEY_FILE
    return Vault(_read_keys(path), reread=lambda: _read_keys(path) if path.exists() else [])


def turn_key(data_dir: Path) -> Vault:
    """Puts a new key in front of the key file; the current one becomes the previous."""
    path = data_dir / KEY_FILE
    keys = [new_key(), *_read_keys(path)][:LIVE_KEYS]
    new = _written(path, keys)
    new.rename(path)
    return Vault(keys)


def _read_keys(path: Path) -> list[str]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = _written(path, [new_key()])
        with contextlib.suppress(FileExistsError):
            os.link(new, path)  # whole or not at all; of two processes at once, one key wins
        new.unlink()
    if path.stat().st_mode & 0o077:
        raise Misconfigured(
            f"Others may read the vault's key file {path}",
            code="vault.exposed",
            hint=f"Run `chmod 600 {path}`; if someone may have read it, change the credentials it seals.",
        )
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]


def _written(path: Path, keys: Sequence[str]) -> Path:
    """A new private file beside `path`, on the disk."""
    new = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("".join(f"{key}\n" for key in keys))
        file.flush()
        if os.geteuid() == 0:  # what root makes in a user's folder stays usable by that user
            owner = path.parent.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        os.fsync(file.fileno())
    return new


def _bad_keys(title: str) -> Misconfigured:
    return Misconfigured(
        title,
        code="vault.keys",
        hint="Set `OPAYO_SYSPRO_VAULT_KEYS` to a JSON list of the current and the previous key, or leave it out to use"
        f" the file `{KEY_FILE}` in the data folder.",
    )


def _locked(context: str | None) -> Misconfigured:
    of = f" of `{context}`" if context else ""
    return Misconfigured(
        f"No key of the vault opens the sealed secret{of}",
        code="vault.wrong-key",
        hint="Put back the key it was sealed with, as the second in `OPAYO_SYSPRO_VAULT_KEYS` or the second"
        f" line of `{KEY_FILE}`; if that key is lost, enter the pair's credentials again.",
    )
