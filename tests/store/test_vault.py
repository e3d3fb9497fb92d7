"""Secrets are readable with a live key in their own place, and nowhere else."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.errors import Misconfigured
from service.store.vault import KEY_FILE, Vault, new_key, open_vault, turn_key

CONTEXT = "pair:north/opayo.password"


@settings(max_examples=40)
@given(secret=st.text(), context=st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8")))
def test_what_is_sealed_opens_to_the_same_text(secret: str, context: str) -> None:
    vault = Vault([new_key()])
    sealed = vault.seal(secret, context)
    assert vault.open(sealed) == secret
    assert vault.open(sealed, context) == secret


def test_bytes_are_sealed_as_their_text() -> None:
    vault = Vault([new_key()])
    assert vault.open(vault.seal("clé".encode(), CONTEXT)) == "clé"


def test_a_context_with_the_separator_is_refused() -> None:
    with pytest.raises(ValueError, match="context"):
        Vault([new_key()]).seal("secret", "pair:\0north")


def test_the_sealed_form_holds_neither_secret_nor_context() -> None:
    sealed = Vault([new_key()]).seal("correct horse", CONTEXT)
    assert b"horse" not in sealed
    assert b"north" not in sealed


def test_a_secret_copied_into_another_row_stays_closed() -> None:
    vault = Vault([new_key()])
    with pytest.raises(Misconfigured, match="belongs to another place"):
        vault.open(vault.seal("s", CONTEXT), "pair:south/opayo.password")


def test_the_previous_key_still_opens_and_rotation_moves_to_the_current_one() -> None:
    old, new = new_key(), new_key()
    sealed = Vault([old]).seal("s", CONTEXT)
    both = Vault([new, old])
    assert both.open(sealed, CONTEXT) == "s"
    assert Vault([new]).open(both.rotate(sealed), CONTEXT) == "s"


@pytest.mark.parametrize("use", [Vault.open, Vault.rotate])
def test_a_wrong_key_is_a_named_error_that_says_what_to_do(use) -> None:  # type: ignore[no-untyped-def]
    sealed = Vault([new_key()]).seal("correct horse", CONTEXT)
    with pytest.raises(Misconfigured) as raised:
        use(Vault([new_key()]), sealed)
    assert raised.value.error_code == "vault.wrong-key"
    assert "OPAYO_SYSPRO_VAULT_KEYS" in str(raised.value)
    assert "horse" not in str(raised.value)


@pytest.mark.parametrize("keys", [[], ["short"], [new_key(), new_key(), new_key()]])
def test_keys_that_are_none_are_refused_without_being_repeated(keys: list[str]) -> None:
    with pytest.raises(Misconfigured) as raised:
        Vault(keys)
    assert raised.value.error_code == "vault.keys"
    assert not any(key in str(raised.value) for key in keys)


def test_neither_repr_nor_pickle_gives_a_key_away() -> None:
    key = new_key()
    vault = Vault([key])
    assert key not in repr(vault)
    assert key not in str(vars(vault))
    with pytest.raises(TypeError):
        pickle.dumps(vault)


def test_without_keys_in_the_settings_a_private_key_file_is_made_once(tmp_path: Path) -> None:
    sealed = open_vault([], tmp_path / "data").seal("s", CONTEXT)
    file = tmp_path / "data" / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert open_vault([], tmp_path / "data").open(sealed) == "s"


def test_keys_in_the_settings_leave_no_file(tmp_path: Path) -> None:
    open_vault([new_key()], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    open_vault([], tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        open_vault([], tmp_path)


def test_turning_the_key_keeps_one_previous_and_forgets_the_one_before(tmp_path: Path) -> None:
    first = open_vault([], tmp_path).seal("s", CONTEXT)
    turned = turn_key(tmp_path)
    assert turned.open(first) == "s"
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert open_vault([], tmp_path).open(turned.seal("t", CONTEXT)) == "t"
    turn_key(tmp_path)
    with pytest.raises(Misconfigured):
        open_vault([], tmp_path).open(first)


def test_starters_at_once_agree_on_one_key(tmp_path: Path) -> None:
    barrier, vaults = threading.Barrier(8), []

    def start() -> None:
        barrier.wait()
        vaults.append(open_vault([], tmp_path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = vaults[0].seal("s", CONTEXT)
    assert [vault.open(sealed) for vault in vaults] == ["s"] * 8
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]
