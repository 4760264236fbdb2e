"""The desk: where staff see tickets and answer them."""

from bot.desk.desk import DeskSettings
from bot.desk.routes import add_desk

__all__ = ["DeskSettings", "add_desk"]
