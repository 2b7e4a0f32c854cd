"""How Sphinx builds the site: `make docs`. Pages are Markdown; the pages of methods are made from their cards."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import wsolkit

project = "wsolkit"
author = "the authors of wsolkit"
release = version = wsolkit.__version__

extensions = [
    "myst_nb",  # MyST pages, and the notebooks
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "pages_of_methods",
    "links_of_included",
    "inner_names",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]

highlight_language = "none"  # what a block does not name: commands, trees of folders

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "cache"  # run where they have changed, in a folder of their own
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_output_stderr = "remove"
nb_execution_raise_on_error = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # else a class with an Attributes section shows its parameters twice
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!wsolkit).*")]  # names of other packages are not looked up

html_theme = "furo"
html_title = "wsolkit"
html_static_path = ["_static"]
html_css_files = ["widths.css"]
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
linkcheck_timeout = 20
