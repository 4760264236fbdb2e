"""Values as JSON documents in columns, checked by pydantic when they are read.

A document of an older version may not fit today's values. Whoever reads one decides what
to do then; nothing about its words is put into the error, since errors end up in logs.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.storage.store import StorageError

T = TypeVar("T")


class DocumentError(StorageError):
    """A stored document does not fit the values of this version."""


def dump(document: object) -> bytes:
    """Return a value as JSON."""
    return _adapter(type(document)).dump_json(document)


def load(kind: type[T], document: bytes | str) -> T:
    """Return the value of ``kind``. Raises `DocumentError`."""
    try:
        return _adapter(kind).validate_json(document)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, each["loc"])) for each in error.errors()[:5])
        raise DocumentError(f"{kind.__name__} 是旧版本写的，与现在的格式不合：{fields}") from None


def to_plain(document: object) -> Any:
    """Return a value as dicts, lists, strings and numbers."""
    return _adapter(type(document)).dump_python(document, mode="json")


def printable(text: str) -> str:
    """Return ``text`` with lone surrogates, which no file can hold, as question marks."""
    return text.encode("utf-8", "replace").decode()


_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    if kind not in _adapters:  # making one takes a millisecond, using one a few microseconds
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]
