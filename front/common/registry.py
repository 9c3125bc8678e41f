"""Things that can be added by one file: a world, an algorithm, a measure, a figure.

    MEASURES: Registry[Measure] = Registry("measure", "myopia.analysis.measures")
    measure = MEASURES.register

    @measure                        # or @figure(place=3, caption="..."), where there is more to say
    def usefulness(context): ...

A registry is a mapping from names to what is registered. When it is first read it imports every
module of its package, and each of these registers its own; a script of the user's may add more.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")
X = TypeVar("X", bound=Callable[..., Any])


class Registry(Mapping[str, T], Generic[T]):
    """What is registered, by name: what ships in the order of its modules, then what was added.

    Or by `order`, where one is given.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        *,
        spell: Callable[[str], str] = lambda name: name,
        entry: Callable[..., Any] = lambda name, thing: thing,
        wrap: Callable[[Any], Any] = lambda thing: thing,
        order: Callable[[T], Any] | None = None,
    ) -> None:
        """Nothing is imported yet.

        Args:
            kind: what one of these is called, in sentences for people.
            package: whose modules register the ones that ship.
            spell: from the name of a function or class to the name that it goes by.
            entry: `(name, thing, **facts)` to what is kept; a ValueError of it refuses the thing.
            wrap: what becomes of a function or class that is registered, for all who call it.
            order: from an entry to what it is sorted by.
        """
        self.kind, self._packages = kind, [package]
        self._spell, self._entry, self._wrap, self._order = spell, entry, wrap, order
        self._found: dict[str, T] = {}
        self._origins: dict[str, tuple[str, str]] = {}  # module, and the name in it
        self._imported: list[str] = []

    def register(self, thing: Any = None, /, **facts: Any) -> Any:
        """Decorator of a function or class, `@register` or `@register(fact=value)`.

        `name=` gives another name than its own. Raises ValueError where another thing has the name.
        """
        if thing is None:
            return lambda given: self._add(given, **facts)
        if not callable(thing):
            raise self._misuse(f"{thing!r}")
        return self._add(thing, **facts)

    def add_package(self, package: str) -> None:
        """Modules of this package register some, too: those of a layer above."""
        if package not in self._packages:
            self._packages.append(package)

    def remove(self, name: str) -> None:
        """Forget one, so that another thing may have the name. Raises KeyError for none."""
        del self._found[name], self._origins[name]

    def discover(self) -> None:
        """Import every module of the packages, once."""
        left = [package for package in self._packages if package not in self._imported]
        if not left:
            return
        # who reads while modules are imported finds what there is so far
        self._imported += left
        try:
            names = [f"{package}.{name}" for package in left for name in module_names(package)]
            for name in names:
                importlib.import_module(name)
        except BaseException:
            self._imported = [package for package in self._imported if package not in left]
            raise
        self._sort()

    def __getitem__(self, name: str) -> T:
        self.discover()
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        self.discover()
        return iter(self._found)

    def __len__(self) -> int:
        self.discover()
        return len(self._found)

    def _add(self, given: X, *, name: str | None = None, **facts: Any) -> X:
        name = self._spell(given.__name__) if name is None else name
        origin = given.__module__, given.__qualname__
        if origin[0].rpartition(".")[0] not in self._packages:
            self.discover()  # what ships has its names before anybody else takes them
        if self._origins.get(name, origin) != origin:
            raise ValueError(
                f"a {self.kind} named {name!r} is registered already, by "
                f"{':'.join(self._origins[name])}"
            )
        thing = self._wrap(given)
        try:
            inspect.signature(self._entry).bind(name, thing, **facts)
        except TypeError as error:
            raise self._misuse(f"{name}: {error}") from None
        self._found[name] = self._entry(name, thing, **facts)
        self._origins[name] = origin
        self._sort()
        return thing

    def _misuse(self, got: str) -> TypeError:
        """The error for a decorator that is given what it does not take."""
        facts = list(inspect.signature(self._entry).parameters.values())[2:]
        shown = [f"{one.name}=..." + ("" if one.default is one.empty else "?") for one in facts]
        return TypeError(
            f"a {self.kind} is registered with ({', '.join([*shown, 'name=...?'])}), "
            f"? where it may be left out; got {got}"
        )

    def _sort(self) -> None:
        def place(item: tuple[str, T]) -> Any:
            if self._order is not None:
                return self._order(item[1])
            package, _, module = self._origins[item[0]][0].rpartition(".")
            ships = package in self._packages
            return (self._packages.index(package), module) if ships else (len(self._packages), "")

        self._found = dict(sorted(self._found.items(), key=place))  # equals stay as they came


def module_names(package: str) -> list[str]:
    """The modules of a package, in the order of the alphabet; private ones are left out."""
    path = importlib.import_module(package).__path__
    return [one.name for one in pkgutil.iter_modules(path) if not one.name.startswith("_")]


def setting_kind(name: str, thing: Any) -> Any:
    """Entry of a class of settings that is read from text: a frozen dataclass, whose `kind` is set.

    Raises TypeError where it is none.
    """
    params = getattr(thing, "__dataclass_params__", None)
    if params is None or not params.frozen or not dataclasses.is_dataclass(thing):
        raise TypeError(
            f"{thing.__module__}:{thing.__qualname__}: expected a class under "
            "@dataclasses.dataclass(frozen=True), below the decorator that registers it"
        )
    setattr(thing, "kind", name)  # noqa: B010 - its type does not know
    return thing
