from typing import Any

# The compiled extension; csrc/module.cpp names what it holds, and ptfast/_native.py alone imports it.
def __getattr__(name: str) -> Any: ...
