"""One file for each learning algorithm; importing this package registers them."""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    if _module.name != "presets":  # they are made of all algorithms
        importlib.import_module(f"{__name__}.{_module.name}")
