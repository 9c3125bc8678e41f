"""Oracles, exact evaluation, measures and reports."""

from myopia.common.search_path import import_libraries

import_libraries("scipy.stats", "matplotlib.figure", "jinja2")
