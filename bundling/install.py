"""Install the wheels beside this script, without a network and without touching torch.

    python install.py               # into the environment of this Python
    python install.py --target DIR  # into a folder; then set PYTHONPATH=DIR

What is installed already and good enough stays as it is. torch is never installed, replaced or
removed: it must be there. Needs pip and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = ".bundle"
"""The file by which a folder of `--target` is known again."""


class InstallError(Exception):
    """The bundle cannot be installed; the message is one sentence."""


def installed(name: str, path: list[str]) -> str | None:
    """The version of a package on a search path, or None."""
    from importlib.metadata import Distribution

    for found in Distribution.discover(name=name, path=path):
        return found.metadata["Version"]
    return None


def good_enough(version: str | None, needs: str, *, builds: bool = False) -> bool:
    """Whether a version is what the bundle needs.

    Args:
        version: As installed, or None.
        needs: As in ">=2.8,<3".
        builds: Whether 2.8.0a0+vendor counts as 2.8.0, as torch's own builds are called.
    """
    from pip._vendor.packaging.specifiers import SpecifierSet
    from pip._vendor.packaging.version import InvalidVersion, Version

    try:
        parsed = Version(version or "none")
    except InvalidVersion:
        return False
    return SpecifierSet(needs).contains(parsed.base_version if builds else parsed, True)


def check(bundle: dict, path: list[str]) -> str:
    """Refuse a Python or a torch that the bundle is not for; return torch's version."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if python != bundle["python"]:
        raise InstallError(
            f"this bundle is for Python {bundle['python']}, and {sys.executable} is {python}: "
            f"run it with python{bundle['python']}"
        )
    try:
        import pip  # noqa: F401
    except ImportError:
        raise InstallError(
            f"{sys.executable} has no pip: say {sys.executable} -m ensurepip"
        ) from None
    torch = installed("torch", path)
    if torch is None:
        raise InstallError(
            f"{sys.executable} has no torch, and this bundle needs {bundle['torch']}: "
            "install torch first, or use the Python that has it"
        )
    if not good_enough(torch, bundle["torch"], builds=True):
        raise InstallError(f"torch is {torch}, and this bundle needs {bundle['torch']}")
    return torch


def check_writable() -> str:
    """The folder that pip installs into, or a refusal."""
    folder = sysconfig.get_path("purelib")
    marker = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    outside = "say --target DIR, or make an environment with python -m venv --system-site-packages"
    if sys.prefix == sys.base_prefix and marker.exists():
        raise InstallError(f"{folder} is managed by the system: {outside}")
    there = next(one for one in [Path(folder), *Path(folder).parents] if one.exists())
    if not os.access(str(there), os.W_OK):
        raise InstallError(f"{folder} is not writable: {outside}")
    return folder


def check_target(target: Path) -> str:
    """The folder to install into, or a refusal: it is replaced whole, so it holds nothing else."""
    if target.exists() and not (target / MARK).exists() and any(target.iterdir()):
        raise InstallError(f"{target} holds something else: say a new folder")
    return str(target)


def replace_target(bundle: dict, chosen: list[str], target: Path) -> None:
    """Install into a folder; what an earlier bundle left in it goes once the new one is there."""
    target.mkdir(parents=True, exist_ok=True)
    (target / MARK).touch()
    with tempfile.TemporaryDirectory(dir=str(target)) as scratch:
        install(bundle, chosen, Path(scratch))
        for old in target.iterdir():
            if old.is_dir() and old.name != Path(scratch).name:
                shutil.rmtree(str(old))
            elif old.is_file() and old.name != MARK:
                old.unlink()
        for new in Path(scratch).iterdir():
            new.rename(target / new.name)


def install(bundle: dict, chosen: list[str], target: Path | None = None) -> None:
    """Have pip install the chosen wheels; it looks nowhere else and at no dependency."""
    line = [sys.executable, "-m", "pip", "--isolated", "install", "--quiet", "--no-index"]
    line += ["--no-deps", "--only-binary=:all:", "--force-reinstall"]
    line += ["--no-warn-script-location", "--disable-pip-version-check"]
    line += [f"--find-links={HERE / 'wheels'}"]
    line += [f"--target={target}"] if target else []
    line += [f"{name}=={bundle['wheels'][name]['version']}" for name in chosen]
    # an image's own settings of pip may pin other versions
    done = subprocess.run(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull},
    )
    if done.returncode:
        errors = [text for text in done.stdout.splitlines() if text.startswith("ERROR: ")]
        said = [text[len("ERROR: ") :] for text in errors] or done.stdout.splitlines()[-1:]
        raise InstallError(
            f"pip could not install the bundle, which is for {bundle['platform']}: "
            f"{said[-1] if said else 'it said nothing'}"
        )


def run(target: Path | None) -> None:
    """Install, and say what was found and done."""
    if not (HERE / "bundle.json").is_file():
        raise InstallError(f"{HERE} has no bundle.json: run this script where its bundle is")
    bundle = json.loads((HERE / "bundle.json").read_text(encoding="utf-8"))
    path = [place for place in sys.path if not target or Path(place).absolute() != target]
    torch = check(bundle, path)
    folder = check_target(target) if target else check_writable()
    kept = {}
    for name, wheel in bundle["wheels"].items():
        version = installed(name, path)
        if name != bundle["project"] and good_enough(version, wheel["needs"]):
            kept[name] = version
    chosen = [name for name in bundle["wheels"] if name not in kept]
    if target:
        replace_target(bundle, chosen, target)
    else:
        install(bundle, chosen)
    stay = [f"torch {torch}", *(f"{name} {kept.pop(name)}" for name in ["numpy"] if name in kept)]
    stay += [f"{len(kept)} more of what the bundle has"] if kept else []
    print(
        f"Found and kept {' and '.join(stay)}; "
        f"installed {len(chosen)} {'package' if len(chosen) == 1 else 'packages'} into {folder}."
    )
    places = [*([str(target)] if target else []), os.environ.get("PYTHONPATH", "")]
    shown = subprocess.run(
        [sys.executable, "-P", "-m", f"{bundle['project']}.cli.main", "--version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(place for place in places if place)},
    )
    if shown.returncode:
        said = shown.stdout.splitlines()[-1:]
        raise InstallError(f"what was installed does not start: {said[0] if said else 'silence'}")
    print(shown.stdout.strip())


def main() -> int:
    """Install the bundle and return the exit code."""
    parser = argparse.ArgumentParser(description="Install the wheels beside this script.")
    parser.add_argument("--target", type=Path, help="a folder to install into")
    target = parser.parse_args().target
    try:
        run(target and target.absolute())
    except InstallError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.strerror or error}: {error.filename or target or HERE}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
