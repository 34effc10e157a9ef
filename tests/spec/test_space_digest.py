"""The digest by which a latency table is known to go with a space."""

from archsearch.spec.space_digest import space_digest
from archsearch.spec.space_file import read_space


def test_a_digest_is_the_same_for_any_number_of_classes_and_another_for_another_space():
    space = read_space("mobilenet_v2")
    assert space_digest(space) == space_digest(read_space("mobilenet_v2")) == space_digest(space.with_classes(10))
    assert len(space_digest(space)) == 12
    others = [space.restrict("resolution", (224,)), read_space("mobilenet_v2_small")]
    assert space_digest(space) not in {space_digest(other) for other in others}
