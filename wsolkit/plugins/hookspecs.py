"""All that a plugin can add to wsolkit: two hooks, both optional.

A plugin is a module (or package) that an entry point of group ``wsolkit`` names in its ``pyproject.toml``::

    [project.entry-points.wsolkit]
    example = "wsolkit_example"

It marks its functions with ``wsolkit.hookimpl``. ``plugins/wsolkit_cam`` is the smallest one, and
``wsolkit new-plugin`` writes a whole distribution to start from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from wsolkit.plugins.methods import Method

__all__ = ["hookimpl", "wsolkit_components", "wsolkit_methods"]

hookspec = pluggy.HookspecMarker("wsolkit")
hookimpl = pluggy.HookimplMarker("wsolkit")


@hookspec
def wsolkit_components() -> list[type] | dict[str, list[str]]:  # type: ignore[empty-body]
    """Return the classes this plugin adds, or where they are; each is filed under the interface it implements.

    A configuration names a class by its ``__name__``; a command line a protocol by its ``name``. Instead of a list
    of classes there may be a dict with the places of the classes by the name of their interface; each is then imported
    when it is first used. A protocol's place is written with its name.

    Example::

        @wsolkit.hookimpl
        def wsolkit_components():
            return [EntropyLoss, ChannelNoise]

        @wsolkit.hookimpl
        def wsolkit_components():
            return {"Loss": ["example.entropy:EntropyLoss"], "Protocol": ["PointAcc=example.points:PointAcc"]}
    """


@hookspec
def wsolkit_methods() -> list[Method]:  # type: ignore[empty-body]
    """Return descriptions of the methods this plugin implements: paper, configurations, reported numbers.

    Example::

        @wsolkit.hookimpl
        def wsolkit_methods():
            return [wsolkit.Method.from_card(Path(__file__).with_name("card.md"))]

    where ``card.md`` begins with the facts, and goes on with what there is to know::

        ---
        name: CAM
        title: Learning Deep Features for Discriminative Localization
        authors: Bolei Zhou, Aditya Khosla, Agata Lapedriza, Aude Oliva, Antonio Torralba
        venue: CVPR
        year: 2016
        summary: Average pooling before the classifier lets its weights turn the last features into a map per class.
        configs:
          - cam_resnet50_cub
        other_names: [class activation mapping]
        config_dir: configs
        reported:
          ILSVRC VGGnet-GAP top-1 loc error: 57.20
        ---
    """
