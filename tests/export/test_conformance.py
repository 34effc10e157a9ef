"""Every built-in exporter keeps its promises."""

import pytest

from archsearch import plugins, testing


@pytest.mark.parametrize("name", plugins.names("exporters"))
def test_built_in_exporters_conform(name, tmp_path):
    testing.check_exporter(name, tmp_path)
