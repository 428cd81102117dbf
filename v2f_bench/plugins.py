"""Plugins: the hook specification, discovery through entry points, and lookup by name.

A plugin package names a module (or object) in the entry-point group `v2f_bench`; the module implements the hooks below
with `v2f_bench.hookimpl`. Entry points are loaded one at a time, and one that fails is kept with its reason. Of the
bundled ones the names are known beforehand (`catalogue.py`); their modules are imported when a class is asked for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from v2f_bench.catalogue import Listed, read_catalogue
from v2f_bench.contracts import KINDS, problem_of
from v2f_bench.interfaces import Dataset, Judge, Method, Metric, PluginError, UsageError
from v2f_bench.interfaces.options import did_you_mean

GROUP = "v2f_bench"
OWN = "v2f-bench"  # the distribution of the bundled plugins
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


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
    summary: str
    where: str  # module:Class
    distribution: str
    version: str

    @cached_property
    def cls(self) -> Any:
        """The class, a subclass of KINDS[kind]; imported on first use.

        Raises:
            PluginError: it cannot be imported, or breaks its contract.
        """
        module, _, name = self.where.partition(":")
        try:
            with redirect_stdout(sys.stderr):  # what a plugin prints must not end up in the output of a command
                cls = getattr(importlib.import_module(module), name)
        except Exception as error:
            raise PluginError(
                f"plugin {self.name} of {self.distribution}: {type(error).__name__}: {error} ({self.where})"
            ) from error
        if problem := problem_of(self.kind, cls):
            raise PluginError(f"plugin {self.name} of {self.distribution}: {problem}")
        return cls

    def make(self) -> Any:
        """An instance, made without arguments."""
        return self.cls()

    @classmethod
    def of(cls, kind: str, registered: Any, distribution: str, version: str) -> Plugin:
        """The plugin of a class that is imported already. PluginError where it breaks its contract."""
        if problem := problem_of(kind, registered):
            raise PluginError(problem)
        where = f"{registered.__module__}:{registered.__qualname__}"
        plugin = cls(kind, registered.name, registered.summary, where, distribution, version)
        plugin.__dict__["cls"] = registered  # a class made inside a function has no name to import it by
        return plugin


@dataclass(frozen=True)
class Broken:
    """An entry point that could not be loaded, or that registered something unusable."""

    entry_point: str
    distribution: str
    reason: str


class Registry:
    """Everything that some entry points register. `catalogue`: what is known of bundled ones without loading them."""

    def __init__(self, entry_points: Iterable[EntryPoint], catalogue: Mapping[str, list[Listed]] | None = None) -> None:
        self.plugins: list[Plugin] = []
        self.broken: list[Broken] = []
        known = read_catalogue() if catalogue is None else catalogue
        for entry_point in sorted(entry_points, key=lambda each: (_distribution(each)[0], each.name)):
            distribution, version = _distribution(entry_point)
            if distribution == OWN and entry_point.name in known:
                self.plugins += [
                    Plugin(each.kind, each.name, each.summary, each.where, distribution, version)
                    for each in known[entry_point.name]
                ]
            else:
                self._load(entry_point)

    def names(self, kind: str) -> list[str]:
        return sorted({plugin.name for plugin in self.plugins if plugin.kind == kind})

    def all(self, kind: str) -> list[Plugin]:
        """The plugins of a kind, one a name. Of a name that two claim v2f-bench's own stays, so that no plugin removes
        a baseline or a judge by its name; names that others claim twice are left out."""
        matching = []
        for name in self.names(kind):
            owners = self._owners(kind, name)
            own = [owner for owner in owners if owner.distribution == OWN]
            matching += owners if len(owners) == 1 else own[:1]
        return matching

    def find(self, kind: str, name: str, besides: Iterable[str] = ()) -> Plugin:
        """The plugin of that name.

        Args:
            besides: names that the user may have meant too, though no plugin has them: for the message only.

        Raises:
            UsageError: there is none; says what is close, what there is, and which plugins failed to load.
            PluginError: two plugins have the name.
        """
        clash = self.clash(kind, name)
        if clash:
            raise PluginError(clash)
        for plugin in self._owners(kind, name):
            return plugin
        known = [*self.names(kind), *besides]
        message = f"there is no {kind} {name!r}{did_you_mean(name, known)} There is: {', '.join(known)}."
        if self.broken:
            message += f" ({len(self.broken)} plugin(s) failed to load: see `v2f-bench list`.)"
        raise UsageError(message)

    def clash(self, kind: str, name: str) -> str:
        """The message about two plugins with one name, or ""."""
        owners = self._owners(kind, name)
        if len(owners) < 2:
            return ""
        places = " and ".join(f"{owner.distribution} {owner.version} ({owner.where})" for owner in owners)
        own = "; tables have v2f-bench's own" if any(owner.distribution == OWN for owner in owners) else ""
        return f"two plugins register the {kind} {name!r}: {places}{own}; uninstall or rename one"

    def problems(self) -> list[str]:
        """What cannot be used, in words: plugins that failed to load, and names that two of them claim."""
        broken = [f"plugin {b.entry_point} of {b.distribution}: {b.reason}" for b in self.broken]
        return broken + [clash for kind in KINDS for name in self.names(kind) if (clash := self.clash(kind, name))]

    def _owners(self, kind: str, name: str) -> list[Plugin]:
        return [plugin for plugin in self.plugins if (plugin.kind, plugin.name) == (kind, name)]

    def _load(self, entry_point: EntryPoint) -> None:
        distribution, version = _distribution(entry_point)
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(Hooks)
        try:
            with redirect_stdout(sys.stderr):
                manager.register(entry_point.load(), name=entry_point.name)
            manager.check_pending()
            matching = [
                Plugin.of(kind, cls, distribution, version)
                for kind in KINDS
                for classes in getattr(manager.hook, f"v2f_bench_{kind}s")()
                for cls in classes
            ]
            if not matching:
                raise PluginError("it registers nothing: implement v2f_bench_methods() or another hook with hookimpl")
        except (Exception, SystemExit) as error:
            # A plugin may fail in any way; whichever it is, it is that plugin's alone.
            reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            self.broken.append(Broken(f"{entry_point.name} = {entry_point.value}", f"{distribution} {version}", reason))
        else:
            self.plugins += matching


def installed() -> Iterable[EntryPoint]:
    """The entry points of all installed plugin packages."""
    return entry_points(group=GROUP)


def made_catalogue() -> dict[str, list[Listed]]:
    """What each bundled entry point registers, found by importing it."""
    own = [entry_point for entry_point in installed() if _distribution(entry_point)[0] == OWN]
    return {
        entry_point.name: [
            Listed(each.kind, each.name, each.summary, each.where)
            for each in Registry([entry_point], catalogue={}).plugins
        ]
        for entry_point in sorted(own, key=lambda entry_point: entry_point.name)
    }


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this process, made on first use."""
    return Registry(installed())


def _distribution(entry_point: EntryPoint) -> tuple[str, str]:
    return (entry_point.dist.name, entry_point.dist.version) if entry_point.dist else ("(unknown)", "")
