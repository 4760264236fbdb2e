"""What all pages of the desk share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.core.playbook import Playbook
from bot.desk.accounts import Accounts
from bot.desk.pages import Pages
from bot.storage.store import Store
from bot.turns import Turns
from kb.value import value


@value
class DeskSettings:
    """How the desk is reached. ``secure``: over https, so that cookies are for https only.

    ``proxies`` is how many proxies of ours stand before it; ``public_host`` is the host that
    people's browsers see if such a proxy passes on another one, or "".
    """

    secure: bool = False
    proxies: int = 0
    public_host: str = ""


@value
class Desk:
    """The desk of one process."""

    turns: Turns
    settings: DeskSettings
    clock: Callable[[], datetime]
    pages: Pages
    accounts: Accounts

    @property
    def store(self) -> Store:
        return self.turns.store

    @property
    def playbook(self) -> Playbook:
        """The one in use now: a bundle may be swapped at any time."""
        return self.turns.playbook
