"""A third party's additions to archsearch, named by the entry points of its pyproject.toml alone."""
