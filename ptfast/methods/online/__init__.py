"""One-shot poses, frame by frame, and links between them."""

from ptfast.methods.online.config import Config
from ptfast.methods.online.method import Online

__all__ = ["Config", "Online"]
