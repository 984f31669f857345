"""Checks that the built documentation loads nothing from elsewhere and that its internal links lead somewhere."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes by which a browser loads something, or goes there when it is asked to.
_LOADS = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}


class Page(HTMLParser):
    """The ids of a page, what it loads and what it links to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collects a tag's attributes."""
        values = dict(attributes)
        if values.get("id"):
            self.ids.add(values["id"] or "")
        if values.get(_LOADS.get(tag, "")):
            self.loads.append(values[_LOADS[tag]] or "")
        if tag == "a" and values.get("href"):
            self.links.append(values["href"] or "")


def main() -> None:
    """Reads a folder of pages; exits with a line for each thing wrong."""
    root = Path(sys.argv[1]).resolve()
    pages = {path: Page(path) for path in sorted(root.rglob("*.html"))}
    wrong = [] if pages else [f"{root} holds no pages"]
    for path, page in pages.items():
        name = path.relative_to(root)
        wrong += [f"{name} loads {load}" for load in page.loads if _is_elsewhere(load)]
        within = [link for link in [*page.loads, *page.links] if not _is_elsewhere(link)]
        wrong += [f"{name} links to {link}, which is not there" for link in within if not _leads(link, path, pages)]
    for path in [*root.rglob("*.css"), *root.rglob("*.svg")]:
        loads = re.findall(r"(?:url\(|@import|\bhref=)\s*[\"']?((?:https?:)?//[^\"')\s]+)", path.read_text())
        wrong += [f"{path.relative_to(root)} loads {load}" for load in loads]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(pages)} pages, {sum(len(page.links) for page in pages.values())} links, nothing from elsewhere")


def _is_elsewhere(link: str) -> bool:
    parts = urlsplit(link)
    return parts.scheme not in ("", "data") or bool(parts.netloc)


def _leads(link: str, path: Path, pages: dict[Path, Page]) -> bool:
    """Checks that a link of the page at `path` leads to an existing file and, in a page, to an existing id."""
    parts = urlsplit(link)
    if parts.scheme == "data":
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if parts.fragment and target in pages:
        return unquote(parts.fragment) in pages[target].ids
    return target.is_file()


if __name__ == "__main__":
    main()
