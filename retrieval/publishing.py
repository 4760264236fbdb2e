"""Which bundle is in use, since when, and who put it there.

DATA/bundles/current          the digest in use
DATA/bundles/pinned           exists while an older bundle was chosen by hand: then a start
                              does not build a newer one over it
DATA/bundles/published.jsonl  who published or rolled back what, and when; only appended to
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from kb.value import value
from retrieval.bundle import MANIFEST, BundleError, current, point

LOG = "published.jsonl"
PIN = "pinned"


@value
class Publication:
    """One change of the bundle in use. ``action``: publish or rollback."""

    at: datetime
    by: str
    action: str
    digest: str


def record(bundles: Path, publication: Publication) -> None:
    """Append to the log."""
    line = TypeAdapter(Publication).dump_json(publication).decode()
    with (bundles / LOG).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def publications(bundles: Path) -> Sequence[Publication]:
    """Return the log, oldest first."""
    path = bundles / LOG
    if not path.exists():
        return ()
    adapter = TypeAdapter(Publication)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [adapter.validate_python(json.loads(line)) for line in lines]


def is_pinned(bundles: Path) -> bool:
    """Whether an older bundle was chosen by hand."""
    return (bundles / PIN).exists()


def unpin(bundles: Path) -> bool:
    """Let the newest bundle be used again; return whether an older one was chosen by hand."""
    pinned = is_pinned(bundles)
    (bundles / PIN).unlink(missing_ok=True)
    return pinned


def rollback(bundles: Path, wanted: str | None) -> str:
    """Point to an older bundle and pin it; return its digest. Raises `BundleError`.

    ``wanted`` are the first characters of a digest; None is the one in use before this one.
    """
    using = current(bundles)
    if wanted is None:
        before = [
            p.digest for p in publications(bundles) if using is None or p.digest != using.name
        ]
        candidates = [d for d in reversed(before) if (bundles / d / MANIFEST).exists()][:1]
    else:
        found = sorted(p.name for p in bundles.glob(f"{wanted}*") if (p / MANIFEST).exists())
        candidates = found if wanted.isalnum() else []
    if len(candidates) != 1:
        kept = "、".join(sorted(p.parent.name[:12] for p in bundles.glob(f"*/{MANIFEST}")))
        raise BundleError(f"没有可以退回的知识包，或者不止一个符合。现有：{kept or '没有'}")
    digest = candidates[0]
    point(bundles, digest)
    (bundles / PIN).write_text(digest + "\n", encoding="utf-8")
    return digest
