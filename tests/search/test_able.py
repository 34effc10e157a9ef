"""Options that only some samplers can follow."""

import pytest

from archsearch import plugins
from archsearch.errors import RunError
from archsearch.search.able import ABILITIES, check_able


@pytest.mark.parametrize("ability", ABILITIES)
def test_samplers_that_cannot_are_refused_naming_those_that_can(ability):
    able = [name for name in plugins.names("samplers") if getattr(plugins.load("samplers", name), ability, False)]
    assert "greybox" in able
    check_able("greybox", ability)
    with pytest.raises(RunError, match=f"{ABILITIES[ability][0]} needs .* random does not; .*{able[0]}"):
        check_able("random", ability)
