"""First weights that a network inherits from a supernet."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from archsearch.errors import RunError
from archsearch.nn.build import Network
from archsearch.spec.arch import Arch
from archsearch.train.supernet import Supernet
from archsearch.train.supernet_folder import WEIGHTS, loaded


@dataclass(frozen=True, slots=True)
class Begun:
    """What a network begins with, for people."""

    line: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Inherited:
    """The weights of a finished supernet as the beginning of a training."""

    name: str  # its folder
    digest: str  # of its weights
    supernet: Supernet

    def network(self, arch: Arch) -> Network:
        """The network with its inherited weights.

        raises   SpaceError saying why it is not in the supernet's space
        """
        return self.supernet.weights.network(arch)

    def begun(self, arch: Arch) -> Begun:
        """How much it inherits; the same error as `network`.

        raises   RunError where the supernet tells another number of classes apart
        """
        space = self.supernet.weights.space
        if space.head.classes != arch.head.classes:
            raise RunError(f"the supernet in {self.name} tells {space.head.classes} classes apart, the images have "
                           f"{arch.head.classes}")  # fmt: skip
        space.encode(arch)
        return Begun(line=f"all weights are inherited from a supernet of space {space.name}")


def inherited(folder: Path) -> Inherited:
    """The first weights that a folder's supernet has for its networks.

    raises   RunError where there is none or it is not finished, CheckpointError for damaged weights
    """
    supernet = loaded(folder)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()[:12]
    return Inherited(name=str(folder), digest=digest, supernet=supernet)
