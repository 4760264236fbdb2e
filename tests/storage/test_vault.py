"""The contact key: made once, guarded, and needed to read what was confided."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.session import Session
from bot.storage.sqlite import open_store
from bot.storage.store import Turn
from bot.storage.vault import Vault, VaultError, open_vault
from tests.storage.builders import NOW, begin, citizen, form, message, receive
from tests.storage.conftest import Place

VAULT = Vault(b"k" * 32)


@given(st.binary(max_size=200))
def test_what_is_sealed_can_be_opened(plain: bytes) -> None:
    assert VAULT.open(VAULT.seal(plain, "contact:A-1"), "contact:A-1") == plain


def test_the_same_is_never_sealed_alike() -> None:
    assert VAULT.seal(b"13800001111", "a") != VAULT.seal(b"13800001111", "a")


def test_what_was_moved_changed_or_cut_is_refused() -> None:
    sealed = VAULT.seal(b"13800001111", "contact:A-1")
    for broken in (sealed[:-1], sealed[:5], b"", bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(VaultError, match="不能解密"):
            VAULT.open(broken, "contact:A-1")
    with pytest.raises(VaultError):
        VAULT.open(sealed, "contact:A-2")
    with pytest.raises(VaultError):
        Vault(b"other" * 7).open(sealed, "contact:A-1")


def test_digests_depend_on_key_and_purpose() -> None:
    digests = {
        VAULT.digest("address", "10.0.0.1"),
        VAULT.digest("login", "10.0.0.1"),
        VAULT.digest("address", "10.0.0.2"),
        Vault(b"other").digest("address", "10.0.0.1"),
    }
    assert len(digests) == 4
    assert VAULT.digest("login", "王\ud800")  # whatever was typed


def test_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "contact.key"
    first = open_vault(key, None)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert [file.name for file in key.parent.iterdir()] == ["contact.key"]
    assert open_vault(key, first.fingerprint).fingerprint == first.fingerprint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_key_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    key = tmp_path / "contact.key"
    open_vault(key, None)
    key.chmod(mode)
    with pytest.raises(VaultError, match="chmod 600"):
        open_vault(key, None)


@pytest.mark.parametrize("content", [b"", b"hello", b"AAAA\n", b"\xff" * 32])
def test_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    key = tmp_path / "contact.key"
    key.write_bytes(content)
    key.chmod(0o600)
    with pytest.raises(VaultError, match="不是密钥文件"):
        open_vault(key, None)


async def test_database_is_not_opened_with_another_key(place: Place, tmp_path: Path) -> None:
    await open_store(place.database, place.key).close()
    open_vault(tmp_path / "other.key", None)
    with pytest.raises(VaultError, match="不是这个数据库的密钥"):
        open_store(place.database, tmp_path / "other.key")


async def test_lost_key_is_named_with_what_is_lost(place: Place) -> None:
    store = open_store(place.database, place.key)
    conversation = await begin(store)
    await store.commit(
        Turn(
            conversation=conversation,
            at=NOW,
            session=Session(conversation=conversation, channel="web", place="suixian"),
            messages=(citizen("没给钱"),),
            opened=(form("A-1", matter=4),),
        )
    )
    await receive(store, message("还没处理"))
    await store.close()
    place.key.unlink()
    with pytest.raises(VaultError, match=r"找不到密钥文件.*电话.*contact\.key\.lost"):
        open_store(place.database, place.key)
    assert not place.key.exists()

    place.key.with_name("contact.key.lost").touch()
    store = open_store(place.database, place.key)
    try:
        detail = await store.ticket("A-1")
        assert detail is not None
        assert detail.contact is None
        assert [line.text for line in detail.transcript] == ["没给钱"]
        session = await store.load_session(conversation)
        assert (session.place, session.last_matter, len(session.tickets)) == (None, 4, 1)
        assert await store.next_item(conversation) is None
        assert (await store.statistics())["inbox_parked"] == 1
        assert (await store.export(conversation))["tickets"][0]["contact"] is None
    finally:
        await store.close()
    await open_store(place.database, place.key).close()  # once is enough


async def test_nothing_confided_stands_in_the_files(place: Place) -> None:
    store = open_store(place.database, place.key)
    phone, address = "13987654321", "203.0.113.77"
    [receipt] = await receive(store, message(f"我的电话{phone}", address=address))
    assert phone.encode() not in place.contents()  # not even while it waits
    session = Session(conversation=receipt.conversation, channel="web", place=phone)
    await store.commit(
        Turn(
            conversation=receipt.conversation,
            at=NOW,
            inbox=receipt.inbox,
            session=session,
            opened=(form("A-1", phone=phone, story=f"打{phone}"),),
        )
    )
    await store.record_login("s3cret-typed-here", address, False, NOW)
    for secret in (phone, address, "s3cret-typed-here"):
        assert secret.encode() not in place.contents()
    await store.close()
