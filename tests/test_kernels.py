"""Kernels compile wherever wsolkit is installed."""

from numba.core import caching

from wsolkit.kernels import compiled


def test_a_function_compiles_where_no_cache_can_be_written(monkeypatch):
    """A read-only package and an unwritable home: numba finds no place and refuses at import."""
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])

    @compiled(fastmath={"contract"})
    def double(number):
        return 2 * number

    assert double(4) == 8
    assert double.targetoptions["fastmath"] == {"contract"}
    assert double.targetoptions["nogil"]
