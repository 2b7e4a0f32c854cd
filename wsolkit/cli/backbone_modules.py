"""``wsolkit show CONFIG --modules``: the modules of its backbone, which modifiers and CAM methods name as ``at``."""

from __future__ import annotations

__all__ = ["module_lines"]


def module_lines(name: str) -> list[str]:
    """Return the names of the modules of a configuration's backbone, in the order of the network, each with its class.

    Args:
        name: name or path of a configuration; no weights are read.

    Raises:
        ConfigError: there is no such configuration, or it has no backbone.
    """
    from wsolkit.config.load import load_config
    from wsolkit.config.training_free import without_training
    from wsolkit.errors import ConfigError
    from wsolkit.modules import find_module, names_in
    from wsolkit.registry import BACKBONES

    wanted = without_training(load_config(name).to_dict().get("model") or {}).get("backbone")
    if not wanted:
        raise ConfigError(f"The configuration {name} has no model.backbone, so there are no modules to show.")
    backbone = BACKBONES.build(dict(wanted))
    names = names_in(backbone)
    width = max((len(each) for each in names), default=0)
    return [f"{each:{width}}  {type(find_module(backbone, each)[1]).__name__}" for each in names]
