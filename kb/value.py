"""How this project writes a value: a frozen, slotted, keyword-only dataclass.

The same class is validated at the edges (YAML, JSON, settings) by pydantic,
which refuses unknown keys, so that an editor's typing error is found and not
silently dropped. Inside, values are plain dataclasses and cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

from pydantic import ConfigDict

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen, slotted, keyword-only dataclass that pydantic checks strictly."""
    cls.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]  # read by pydantic
    return dataclass(frozen=True, slots=True, kw_only=True)(cls)
