"""What a sampler can do beyond proposing: attributes of the object behind its name in plug-in group "samplers"."""

from archsearch import plugins
from archsearch.errors import PluginError, RunError

ABILITIES = {  # attribute -> the option that needs it, what it means
    "tells_gain": ("--stop-when-flat", "tells what it expects to gain"),
    "repeats": ("--repeats", "weighs second trainings"),
}


def check_able(name: str, ability: str) -> None:
    """Raise RunError, naming those that can, where a sampler lacks an ability.

    A sampler says that it has one by an attribute: `greybox.tells_gain = True`.
    """
    if _able(name, ability):
        return
    able = []
    for other in plugins.names("samplers"):
        try:
            able += [other] if _able(other, ability) else []
        except PluginError:
            continue  # a third party's row that is broken helps nobody here
    option, words = ABILITIES[ability]
    raise RunError(
        f"{option} needs a sampler that {words}, and {name} does not; samplers that do: {', '.join(able) or 'none'}"
    )


def _able(name: str, ability: str) -> bool:
    return bool(getattr(plugins.load("samplers", name), ability, False))
