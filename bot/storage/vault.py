"""Encryption of what was confided: contact data, drafts of forms, messages not yet handled.

The key lies in a file apart from the database and its backups, so that neither alone shows
a telephone number. Everything sealed is bound to its place: a value that is moved to another
row cannot be opened there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.storage.store import StorageError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_log = logging.getLogger(__name__)


class VaultError(StorageError):
    """The key file cannot be used, or a sealed value cannot be opened with it."""


class Vault:
    """Seals and opens values, and makes keyed digests, with keys derived from one secret."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(_derive(secret, b"seal"))
        self._digest_key = _derive(secret, b"digest")
        self.fingerprint = _derive(secret, b"fingerprint").hex()[:16]
        """Tells keys apart and says nothing about them."""

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt ``plain`` (AES-256-GCM) for ``place``, such as `session:7`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return what was sealed for ``place``. Raises `VaultError`."""
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, body, place.encode())
        except (InvalidTag, ValueError):
            raise VaultError(f"{place} 不能解密：密钥换过，或者数据被改动过。") from None

    def digest(self, purpose: str, text: str) -> str:
        """Return a digest of ``text`` that nobody can guess back without the key."""
        message = f"{purpose}\0{text}".encode("utf-8", "replace")
        return hmac.new(self._digest_key, message, hashlib.sha256).hexdigest()[:32]


def open_vault(path: Path, fingerprint: str | None) -> Vault:
    """Return the vault of the key file at ``path``.

    ``fingerprint`` is that of the key the database belongs to; None for a new database,
    which takes the key that is there or gets a new one. Raises `VaultError` if the file is
    missing, readable by others, not a key, or another database's key.

    An operator who has lost the key for good says so with an empty file `NAME.lost`
    beside it: then a new key is made and what the old one sealed stays unreadable.
    """
    confirmation = path.with_name(path.name + ".lost")
    if not path.exists():
        if fingerprint is not None and not confirmation.exists():
            raise VaultError(_missing(path, confirmation))
        _make_key(path)
    vault = Vault(_load_key(path))
    if fingerprint not in (None, vault.fingerprint):
        if not confirmation.exists():
            raise VaultError(_foreign(path, confirmation))
        _log.warning("the contact key was replaced; what the old one sealed cannot be read")
    confirmation.unlink(missing_ok=True)
    return vault


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"suifawen " + purpose).derive(secret)


def _make_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # whole or not at all, and never over another process's key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _load_key(path: Path) -> bytes:
    mode = path.stat().st_mode
    if mode & 0o077:
        raise VaultError(f"密钥文件 {path} 别的用户也能读。请运行：chmod 600 {path}")
    try:
        secret = base64.b64decode(path.read_bytes().strip(), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != _KEY_BYTES:
        raise VaultError(f"{path} 不是密钥文件。请从保管处取回原来的密钥文件，放回原处。")
    return secret


_LOST = (
    "如果原来的密钥再也找不回来：已登记的电话、地点、为谁办理和事情经过，没有提交的登记表，"
    "还没处理的来信，都将永远读不出；对话、工单和处理记录不受影响。"
    "确认接受的话，建一个空文件 {confirmation} 再启动，程序会换用新密钥。"
)


def _missing(path: Path, confirmation: Path) -> str:
    return f"找不到密钥文件 {path}。请从保管处取回，放回原处，权限设为 600。" + _LOST.format(
        confirmation=confirmation
    )


def _foreign(path: Path, confirmation: Path) -> str:
    return f"密钥文件 {path} 不是这个数据库的密钥。请换回与数据库配套的密钥文件。" + _LOST.format(
        confirmation=confirmation
    )
