"""Plugins: the hook specification, discovery through entry points, and lookup by name.

A plugin package names a module (or object) in the entry-point group `v2f_bench`; the module implements the hooks below
with `v2f_bench.hookimpl`. Entry points are loaded one at a time, and one that fails is kept with its reason.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from v2f_bench.interfaces import NEEDS, Dataset, Judge, Method, Metric, PluginError, UsageError
from v2f_bench.interfaces.options import did_you_mean

GROUP = "v2f_bench"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

KINDS: dict[str, type] = {"method": Method, "dataset": Dataset, "metric": Metric, "judge": Judge}


class Hooks:
    """What a plugin may implement; each returns a list of classes."""

    @hookspec
    def v2f_bench_methods(self) -> list[type[Method]]:
        """Method classes."""
        raise NotImplementedError

    @hookspec
    def v2f_bench_datasets(self) -> list[type[Dataset]]:
        """Dataset classes."""
        raise NotImplementedError

    @hookspec
    def v2f_bench_metrics(self) -> list[type[Metric]]:
        """Metric classes."""
        raise NotImplementedError

    @hookspec
    def v2f_bench_judges(self) -> list[type[Judge]]:
        """Judge classes."""
        raise NotImplementedError


@dataclass(frozen=True)
class Plugin:
    """One registered class, and the installed distribution that brought it."""

    kind: str
    name: str
    cls: Any  # a subclass of KINDS[kind]
    distribution: str
    version: str


@dataclass(frozen=True)
class Broken:
    """An entry point that could not be loaded, or that registered something unusable."""

    entry_point: str
    distribution: str
    reason: str


class Registry:
    """Everything that the installed plugins register."""

    def __init__(self, found: Iterable[EntryPoint]) -> None:
        self.plugins: list[Plugin] = []
        self.broken: list[Broken] = []
        for entry_point in sorted(found, key=lambda ep: (_distribution(ep)[0], ep.name)):
            self._load(entry_point)

    def names(self, kind: str) -> list[str]:
        return sorted({plugin.name for plugin in self.plugins if plugin.kind == kind})

    def all(self, kind: str) -> list[Plugin]:
        """The plugins of a kind that can be looked up: names that two distributions claim are left out."""
        return [self.find(kind, name) for name in self.names(kind) if not self.clash(kind, name)]

    def find(self, kind: str, name: str) -> Plugin:
        """The plugin of that name.

        Raises:
            UsageError: there is none; says what is close, what there is, and which plugins failed to load.
            PluginError: two plugins have the name.
        """
        clash = self.clash(kind, name)
        if clash:
            raise PluginError(clash)
        for plugin in self.plugins:
            if (plugin.kind, plugin.name) == (kind, name):
                return plugin
        known = self.names(kind)
        message = f"there is no {kind} {name!r}{did_you_mean(name, known)} There is: {', '.join(known)}."
        if self.broken:
            message += f" ({len(self.broken)} plugin(s) failed to load: see `v2f-bench list`.)"
        raise UsageError(message)

    def clash(self, kind: str, name: str) -> str:
        """The message about two plugins with one name, or ""."""
        owners = [plugin for plugin in self.plugins if (plugin.kind, plugin.name) == (kind, name)]
        if len(owners) < 2:
            return ""
        places = " and ".join(f"{owner.distribution} {owner.version} ({owner.cls.__module__})" for owner in owners)
        return f"two plugins register the {kind} {name!r}: {places}; uninstall or rename one"

    def problems(self) -> list[str]:
        """What cannot be used, in words: plugins that failed to load, and names that two of them claim."""
        broken = [f"plugin {b.entry_point} of {b.distribution}: {b.reason}" for b in self.broken]
        return broken + [clash for kind in KINDS for name in self.names(kind) if (clash := self.clash(kind, name))]

    def _load(self, entry_point: EntryPoint) -> None:
        distribution, version = _distribution(entry_point)
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(Hooks)
        try:
            manager.register(entry_point.load(), name=entry_point.name)
            manager.check_pending()
            found = [
                Plugin(kind, self._checked_name(kind, cls), cls, distribution, version)
                for kind in KINDS
                for classes in getattr(manager.hook, f"v2f_bench_{kind}s")()
                for cls in classes
            ]
            if not found:
                raise PluginError("it registers nothing: implement v2f_bench_methods() or another hook with hookimpl")
        except (Exception, SystemExit) as error:
            # A plugin may fail in any way; whichever it is, it is that plugin's alone.
            reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            self.broken.append(Broken(f"{entry_point.name} = {entry_point.value}", f"{distribution} {version}", reason))
        else:
            self.plugins += found

    @staticmethod
    def _checked_name(kind: str, plugin: Any) -> str:
        contract, cls = KINDS[kind], plugin
        if not (inspect.isclass(plugin) and issubclass(plugin, contract)):
            raise PluginError(f"{cls!r} is not a subclass of v2f_bench.{contract.__name__}")
        if inspect.isabstract(cls):
            missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
            raise PluginError(f"{cls.__name__} does not implement {missing}")
        name = getattr(cls, "name", None)
        if not (isinstance(name, str) and name and all(c.isalnum() or c in "-_." for c in name) and name[0].isalnum()):
            raise PluginError(f"{cls.__name__}.name must be text of letters, digits, '-', '_' and '.', not {name!r}")
        if kind in ("method", "dataset") and not dataclasses.is_dataclass(cls.options):
            raise PluginError(f"{cls.__name__}.options must be a dataclass")
        if kind == "method" and (unknown := set(cls.needs) - set(NEEDS)):
            raise PluginError(f"{cls.__name__}.needs has {', '.join(sorted(unknown))}; there is: {', '.join(NEEDS)}")
        if kind == "method" and cls.variations and cls.vary is Method.vary:
            raise PluginError(f"{cls.__name__} lists variations but has no `vary`")
        for attribute in {"dataset": ("card",), "metric": ("judged_by",), "judge": ("kind",)}.get(kind, ()):
            if not hasattr(cls, attribute):
                raise PluginError(f"{cls.__name__} does not say its `{attribute}`")
        return name


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this process, made on first use."""
    return Registry(entry_points(group=GROUP))


def _distribution(entry_point: EntryPoint) -> tuple[str, str]:
    return (entry_point.dist.name, entry_point.dist.version) if entry_point.dist else ("(unknown)", "")
