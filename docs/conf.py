"""Configuration of the documentation, which `make docs` builds from the pages here and from the docstrings."""

import sys
from pathlib import Path

from sphinx.util.inspect import TypeAliasForwardRef

import ptfast

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "ptfast"
release = ptfast.__version__
extensions = [
    "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "command_help", "plain_docstrings", "public_names",
]  # fmt: skip
exclude_patterns = ["extensions"]
myst_heading_anchors = 3

autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
# Sphinx shows an alias within another type, such as tuple[Array, Array], by its repr.
TypeAliasForwardRef.__repr__ = lambda alias: alias.name
autodoc_type_aliases = {"Array": "Array"}
autodoc_typehints_format = "short"
maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
smartquotes_action = "D"  # dashes; quotes in docstrings are often those of code
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# Backticks in docstrings link to what they name, if that is documented, and are code otherwise. Names of other packages
# and of what is private are shown as they stand: the build reads no inventories from elsewhere.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", r".*"),
    ("py:.*", r"(?!ptfast).*\..*"),
    ("py:class", r"\w+|ptfast\.(.*\.)?(_.*|State|Observation|Format|Found|Reader|Reading)"),  # aliases
]

html_theme = "furo"
html_title = "ptfast"
html_copy_source = False
html_show_copyright = False
pygments_dark_style = "github-dark"
html_static_path = ["static"]
html_css_files = ["ptfast.css"]
