"""The directive `command-help`: what `ptfast <command> --help` prints."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from unittest.mock import patch

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from ptfast.cli import main

WIDTH = 88  # columns that a page has room for


def help_of(command: str) -> str:
    """The help of a command, or with "" of ptfast itself."""
    printed = io.StringIO()
    with redirect_stdout(printed), patch.dict(os.environ, COLUMNS=str(WIDTH + 2)):  # argparse leaves two columns free
        try:
            main([*command.split(), "--help"])
        except SystemExit as end:
            if end.code:
                raise ValueError(f"ptfast {command} --help failed: {end.code}") from None
    return printed.getvalue()


class CommandHelp(Directive):
    """The help of the command that the argument names."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A literal block."""
        text = help_of(self.arguments[0] if self.arguments else "")
        return [nodes.literal_block(text, text, language="text")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Adds the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
