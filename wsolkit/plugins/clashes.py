"""Two parts of one name: brought by two plugins, or registered by hand in the place of one; both sides are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wsolkit.errors import PluginError
from wsolkit.plugins.reading import Component, Source, path_of

__all__ = ["DISABLED", "check_free", "check_replaced", "contest_words", "names_of", "registered", "switch_off"]

DISABLED = "WSOLKIT_DISABLED_PLUGINS"


def contest_words(name: str, rivals: Sequence[Component]) -> str:
    """Say that a name is that of several components, and how each is named."""
    each = " and ".join(f"{one.long_name} ({one.source})" for one in rivals)
    return (
        f"{len(rivals)} plugins have a {rivals[0].interface} called {name!r}: {each}. Write one of these long names as "
        f"the type, or leave a plugin out with {switch_off(rivals[-1].source, rivals[0].source)}."
    )


def check_free(component: Component, known: Component | None) -> None:
    """Refuse a name that another component has, brought under the same long name or registered by hand.

    Raises:
        PluginError: there is one.
    """
    scratch = component.in_place
    start = f"Two components are called {component.name!r} among the {component.interface}s:"
    if known is not None:
        raise PluginError(
            f"{start} {known} and {component}. Rename one, or leave one plugin out with "
            f"{switch_off(component.source, known.source)}."
        )
    if scratch is not None and not component.is_at(scratch):
        raise PluginError(
            f"{start} {component} and {path_of(scratch).replace(':', '.')}, which was registered by hand. Rename one."
        )


def registered(components: Iterable[Component]) -> dict[tuple[str, str], type | None]:
    """Return what stands in the registries under the names of components, by interface and name."""
    return {(each.interface, each.written_name): each.in_place for each in components}


def check_replaced(components: Iterable[Component], before: Mapping[tuple[str, str], type | None]) -> None:
    """Put components back that a plugin has replaced in the registries by hand as it was imported.

    Args:
        components: those that were known before it.
        before: what stood under their names.

    Raises:
        PluginError: it has.
    """
    for each in components:
        now, known, names = each.in_place, before[each.interface, each.written_name], each.kind.home.module_dict
        if now is None or now is known or each.is_at(now):
            continue
        if known is None:
            del names[each.written_name]
        else:
            names[each.written_name] = known
        raise PluginError(
            f"it registers {path_of(now).replace(':', '.')} by hand in the place of the {each.interface} {each}; give "
            "it another name"
        )


def names_of(source: Source) -> tuple[str, str]:
    """Return the two names by which a plugin can be disabled."""
    return source.plugin, f"{source.distribution}:{source.plugin}"


def switch_off(source: Source, other: Source) -> str:
    """Return the setting that leaves out one of two plugins."""
    plain, full = names_of(source)
    return f"{DISABLED}={full if plain == other.plugin else plain}"
