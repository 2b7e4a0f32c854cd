"""The table of interfaces: what a component may be, by name, and the registry it is filed in.

The classes are named here and imported when something needs them, so that looking at the table costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

from wsolkit import registry
from wsolkit.errors import PluginError, nearest
from wsolkit.registry import ComponentRegistry

__all__ = ["INTERFACES", "Interface", "interface_named", "interface_of"]


@dataclass(frozen=True)
class Interface:
    """A class that components derive from.

    Attributes:
        module: the module that has the class.
        name: name of the class.
        home: the registry that its components are filed in.
        summary: what it is, where another project wrote the class; ours say it themselves.
        named_by: the attribute of a component's class that is its name; the class's own name by default.
    """

    module: str
    name: str
    home: ComponentRegistry
    summary: str = ""
    named_by: str = "__name__"

    @cached_property
    def cls(self) -> type:
        """The class, imported now."""
        return getattr(import_module(self.module), self.name)

    def is_kept_by(self, cls: type) -> bool:
        """Whether a class derives from this interface; nothing is imported where none of its parents has its name."""
        return any(parent.__name__ == self.name for parent in cls.__mro__) and issubclass(cls, self.cls)


INTERFACES: tuple[Interface, ...] = (
    Interface("wsolkit.interfaces.network_parts", "Backbone", registry.BACKBONES),
    Interface("wsolkit.interfaces.network_parts", "MapModifier", registry.MODIFIERS),
    Interface("wsolkit.interfaces.batch_transform", "BatchTransform", registry.BATCH_TRANSFORMS),
    Interface("wsolkit.interfaces.network_parts", "Pooling", registry.POOLINGS),
    Interface("wsolkit.interfaces.network_parts", "ActivationHead", registry.HEADS),
    Interface("wsolkit.interfaces.loss", "Loss", registry.LOSSES),
    Interface("wsolkit.interfaces.network_parts", "CamMethod", registry.CAM_METHODS),
    Interface("wsolkit.interfaces.array_parts", "BoxExtractor", registry.BOX_EXTRACTORS),
    Interface("wsolkit.interfaces.array_parts", "Refiner", registry.REFINERS),
    Interface("wsolkit.interfaces.array_parts", "Stage", registry.STAGES),
    Interface("wsolkit.evaluation.protocol", "Protocol", registry.PROTOCOLS, named_by="name"),
    Interface("mmengine.model", "BaseModel", registry.MODELS, "The whole network, with what it does with a batch."),
    Interface(
        "mmengine.model",
        "BaseDataPreprocessor",
        registry.MODELS,
        "Moves a batch to the device and turns pixels into what the network takes.",
    ),
    Interface(
        "torch.nn.parallel",
        "DistributedDataParallel",
        registry.MODEL_WRAPPERS,
        "Keeps the copies of a model in several processes alike.",
    ),
    Interface("mmengine.dataset", "BaseDataset", registry.DATASETS, "Reads the images and labels of a split."),
    Interface("torchvision.transforms.v2", "Transform", registry.TRANSFORMS, "A step of a pipeline: changes a sample."),
    Interface("mmengine.evaluator", "BaseMetric", registry.METRICS, "Makes numbers of a validation's predictions."),
    Interface("mmengine.hooks", "Hook", registry.HOOKS, "Does something at certain moments of a training."),
    Interface("mmengine.runner", "BaseLoop", registry.LOOPS, "Runs a training, epoch by epoch or step by step."),
    Interface("torch.utils.data", "Sampler", registry.DATA_SAMPLERS, "Chooses which images come when."),
    Interface(
        "mmengine.optim",
        "DefaultOptimWrapperConstructor",
        registry.OPTIM_WRAPPER_CONSTRUCTORS,
        "Gives the parts of a model their learning rates.",
    ),
)
"""The interfaces a component may implement."""


def interface_named(name: str) -> Interface:
    """Return the interface whose class has that name.

    Raises:
        PluginError: there is none.
    """
    for interface in INTERFACES:
        if interface.name == name:
            return interface
    known = nearest(name, (interface.name for interface in INTERFACES))
    raise PluginError(f"There is no interface {name!r} for components. {known}")


def interface_of(cls: object) -> Interface:
    """Return the interface that a class implements.

    Raises:
        PluginError: it implements none, several, or not all of it.
    """
    found = [each for each in INTERFACES if isinstance(cls, type) and each.is_kept_by(cls)]
    if len(found) != 1:
        names = ", ".join(each.name for each in found or INTERFACES)
        advice = (
            f"implements {names}; split it" if found else f"implements no interface; derive a class from one of {names}"
        )
        raise PluginError(f"A component implements one interface, but {cls!r} {advice}.")
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise PluginError(f"{cls!r} does not implement {', '.join(missing)} of {found[0].name}; add it.")
    return found[0]
