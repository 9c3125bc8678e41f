"""Collect the wheels of the project and of all that it needs, but not torch, in one folder.

    python bundling/bundle.py --out dist/bundle
    python bundling/bundle.py --out DIR --python-version 3.12 --platform manylinux_2_28_x86_64

The folder is for a machine without a network that has its own torch: `install.py` in it installs
from its wheels. pip chooses the versions, with `constraints.txt`; a stub stands in for torch, so
that neither torch nor what torch needs is fetched. pip reads the conditions of dependencies
(`python_version < "3.12"`) for the Python that runs it, so they are read again for the target.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
PROJECT = "myopia"
MANIFEST = "bundle.json"
LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
"""The old names of manylinux tags, by the minor version of glibc 2."""

README = """\
{project} {version} for Python {python} on {platform}; torch ({torch}) must be there already.
python install.py               installs into the environment of this Python, without a network.
python install.py --target DIR  installs into a folder instead; then set PYTHONPATH=DIR.
"""


class BundleError(Exception):
    """A bundle cannot be made; the message is one sentence."""


@dataclass(frozen=True)
class Wheel:
    """What a wheel says of itself."""

    file: str
    name: str
    version: str
    requires: tuple[Requirement, ...]
    python: SpecifierSet

    @classmethod
    def read(cls, path: Path) -> "Wheel":
        """Read the metadata in a wheel."""
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            inner = next(n for n in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
            metadata = message_from_bytes(archive.read(inner))
        requires = tuple(Requirement(line) for line in metadata.get_all("Requires-Dist", []))
        python = SpecifierSet(metadata["Requires-Python"] or "")
        name = canonicalize_name(metadata["Name"])
        return cls(path.name, name, metadata["Version"], requires, python)


@dataclass(frozen=True)
class Target:
    """The Python and the platform that a bundle is for.

    Args:
        python: "3.12".
        tags: What pip calls the platform; none for the machine that makes the bundle.
    """

    python: str
    tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, python: str, platform: str) -> "Target":
        """Check what was asked for.

        Args:
            python: "3.12" or "3.12.1"; "" for the Python that runs.
            platform: Tags between spaces or commas; "" for the machine that runs.
        """
        python = python or f"{sys.version_info[0]}.{sys.version_info[1]}"
        found = re.fullmatch(r"(3\.[0-9]+)(\.[0-9]+)?", python)
        if not found:
            raise BundleError(f"PYTHON_VERSION is {python!r}: it must be like 3.12")
        given = re.split(r"[\s,]+", platform.strip()) if platform.strip() else []
        for tag in given:
            if re.match(r"linux_", tag):
                raise BundleError(
                    f"PLATFORM is {tag!r}: wheels for Linux name the oldest glibc, "
                    f"as in many{tag.replace('_', '_2_28_', 1)}"
                )
            if not re.match(r"(manylinux|musllinux_|macosx_|win)[a-z0-9_]+$", tag):
                raise BundleError(
                    f"PLATFORM has {tag!r}: it must be like manylinux_2_28_x86_64, "
                    "macosx_11_0_arm64 or win_amd64"
                )
        tags = [tag for one in given for tag in older(one)]
        return cls(found[1], tuple(dict.fromkeys(tags)))

    def options(self) -> list[str]:
        """What pip is told of the target."""
        platforms = [f"--platform={tag}" for tag in self.tags]
        return [f"--python-version={self.python}", *platforms]

    def environment(self) -> dict[str, Any]:
        """The values of the conditions of dependencies."""
        values: dict[str, Any] = dict(default_environment())
        if self.python != values["python_version"]:
            values |= {"python_version": self.python, "python_full_version": f"{self.python}.0"}
        if self.tags:
            tag = self.tags[0]
            kind = next(k for k in ("linux", "macosx", "win") if k in tag.partition("_")[0])
            os_name, system, platform = {
                "linux": ("posix", "Linux", "linux"),
                "macosx": ("posix", "Darwin", "darwin"),
                "win": ("nt", "Windows", "win32"),
            }[kind]
            found = re.search(r"_(x86_64|[a-z][a-z0-9]*)$", tag)
            machine = found[1] if found else "x86"
            values |= {
                "os_name": os_name,
                "platform_system": system,
                "sys_platform": platform,
                "platform_machine": machine.upper() if kind == "win" else machine,
            }
        return values


def older(tag: str) -> list[str]:
    """A platform tag and, for manylinux, those of every older glibc: pip wants each of them.

    >>> older("manylinux_2_6_x86_64")
    ['manylinux_2_6_x86_64', 'manylinux_2_5_x86_64', 'manylinux1_x86_64']
    """
    found = re.fullmatch(r"manylinux_2_([0-9]{1,3})_(\w+)", tag)
    if not found:
        return [tag]
    tags = []
    for minor in range(int(found[1]), 4, -1):
        tags.append(f"manylinux_2_{minor}_{found[2]}")
        if minor in LEGACY:
            tags.append(f"{LEGACY[minor]}_{found[2]}")
    return tags or [tag]


def stub_wheel(folder: Path, name: str, version: str) -> Path:
    """Write a wheel of a package that has a name, a version and nothing to run."""
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{name.replace('-', '_')}/__init__.py": f'__version__ = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: bundle\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


def project_wheel(folder: Path) -> Path:
    """Build the project's wheel from a copy, which no earlier `build/` gets into."""
    with tempfile.TemporaryDirectory() as copy:
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy(path, copy)
            elif (path / "__init__.py").exists():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, Path(copy, path.name), ignore=ignored)
        pip("wheel", "--no-deps", f"--wheel-dir={folder}", copy)
    return next(folder.glob(f"{PROJECT}-*.whl"))


def pip(command: str, *arguments: str, target: Target | None = None) -> None:
    """Run pip, or say in one sentence why it failed."""
    line = [sys.executable, "-m", "pip", command, "--no-color", *arguments]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        return
    where = f" for Python {target.python} on {platform_words(target)}" if target else ""
    lines = [text.strip() for text in done.stdout.splitlines() if text.strip()]
    for text in lines:
        if found := re.match(r"ERROR: No matching distribution found for ([^;]+)", text):
            raise BundleError(f"no index that pip knows has a wheel of {found[1].strip()}{where}")
    if conflict := [i for i, text in enumerate(lines) if "conflict is caused by" in text]:
        sides = lines[conflict[0] + 1 :]
        told = [
            re.match(r"(?:\S+ \S+ depends on|The user requested) ([^(].*)", one) for one in sides
        ]
        asked = [one[1] for one in told if one]
        pins = [one.rpartition(" ")[2] for one in sides if "(constraint)" in one]
        for pin in pins:
            _, _, version = pin.partition("==")
            if version and all(Requirement(one).specifier.contains(version) for one in asked):
                raise BundleError(f"no index that pip knows has a wheel of {pin}{where}")
        raise BundleError(
            f"pip finds no wheels that fit together{where}: {', '.join(asked)} is needed, "
            f"{', '.join(pins) or 'nothing'} is pinned"
        )
    errors = [text[len("ERROR: ") :] for text in lines if text.startswith("ERROR: ")]
    said = [*errors, *lines[-1:], "it said nothing"][0]
    raise BundleError(f"pip could not {command} what a bundle needs{where}: {said}")


def platform_words(target: Target) -> str:
    """The platform, as people name it."""
    return target.tags[0] if target.tags else sysconfig.get_platform()


def needed(
    wheels: dict[str, Wheel], extras: Sequence[str], environment: dict[str, Any]
) -> dict[str, Requirement]:
    """Every package that the project needs, with all that is asked of its version.

    What torch needs is left out, as torch's own.

    Args:
        wheels: Name -> wheel. One that is missing is named in the result all the same.
        extras: Of the project.
        environment: The values of the conditions of dependencies.
    """
    found = {PROJECT: Requirement(f"{PROJECT}{brackets(extras)}")}
    queue = [PROJECT]
    while queue:
        name = queue.pop()
        if name == "torch" or name not in wheels:
            continue
        extras_of = ("", *found[name].extras)
        for one in wheels[name].requires:
            told = (one.marker is None) or any(
                one.marker.evaluate({**environment, "extra": extra}) for extra in extras_of
            )
            if not told:
                continue
            other = canonicalize_name(one.name)
            known = found.get(other)
            merged = Requirement(other)
            merged.extras = one.extras | (known.extras if known else set())
            merged.specifier = one.specifier & (known.specifier if known else SpecifierSet())
            found[other] = merged
            if known is None or merged.extras != known.extras:
                queue.append(other)
    return found


def collect(folder: Path, target: Target, extras: Sequence[str]) -> dict[str, Any]:
    """Fill a folder with wheels.

    Returns:
        What the installer must know: `bundle.json`.
    """
    pin = re.search(r"^torch==([0-9.]+)", CONSTRAINTS.read_text(encoding="utf-8"), re.M)
    if not pin:
        raise BundleError(f"{CONSTRAINTS.name} has no line torch==VERSION, which the stub needs")
    with tempfile.TemporaryDirectory() as scratch:
        project = project_wheel(Path(scratch))
        wheel = Wheel.read(project)
        if not wheel.python.contains(target.python):
            raise BundleError(f"{PROJECT} needs Python {wheel.python}, and not {target.python}")
        known = {extra for one in wheel.requires for extra in extras_named(one)}
        for extra in extras:
            if extra not in known:
                raise BundleError(f"no extra is called {extra!r}: they are {sorted(known)}")
        wanted = [f"{project}{brackets(extras)}", str(stub_wheel(Path(scratch), "torch", pin[1]))]
        while True:
            shutil.rmtree(folder, ignore_errors=True)
            pip(
                *("download", "--only-binary=:all:", f"--dest={folder}"),
                *(f"--constraint={CONSTRAINTS}", *target.options(), *wanted),
                target=target,
            )
            wheels = {one.name: one for one in map(Wheel.read, folder.glob("*.whl"))}
            needs = needed(wheels, extras, target.environment())
            missing = [str(needs[name]) for name in sorted(needs.keys() - wheels.keys())]
            if not missing:
                break
            if set(missing) <= set(wanted):
                raise BundleError(f"pip does not download {missing[0]}")
            wanted += missing
    for name, one in wheels.items():
        if name == "torch" or name not in needs:
            (folder / one.file).unlink()
    return {
        "project": PROJECT,
        "version": wheel.version,
        "python": target.python,
        "platform": platform_words(target),
        "torch": str(needs.pop("torch").specifier),
        "wheels": {
            name: {"version": wheels[name].version, "needs": str(needs[name].specifier)}
            for name in sorted(needs)
        },
    }


def brackets(extras: Sequence[str]) -> str:
    """Extras as a requirement has them."""
    return f"[{','.join(extras)}]" if extras else ""


def extras_named(requirement: Requirement) -> list[str]:
    """The extras in the condition of a dependency."""
    return re.findall(r"extra == ['\"]([^'\"]+)['\"]", str(requirement.marker or ""))


def make_bundle(out: Path, target: Target, extras: Sequence[str] = ()) -> None:
    """Write a bundle, whole or not at all; an earlier one in the same folder is replaced."""
    if out.exists() and not (out / MANIFEST).is_file() and (out.is_file() or any(out.iterdir())):
        raise BundleError(f"{out} is there and is no bundle: say another OUT")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".bundle-") as scratch:
        made = Path(scratch, "bundle")
        manifest = collect(made / "wheels", target, extras)
        (made / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        (made / "README.txt").write_text(README.format(**manifest), encoding="utf-8")
        shutil.copy(Path(__file__).with_name("install.py"), made)
        if out.exists():
            shutil.rmtree(out)
        made.rename(out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(
        f"{out}: {len(manifest['wheels'])} wheels, {size / 2**20:.1f} MiB, "
        f"for Python {manifest['python']} on {manifest['platform']}"
    )


def main() -> int:
    """Make a bundle and return the exit code."""
    parser = argparse.ArgumentParser(description="Collect wheels for a machine without a network.")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument("--python-version", default="", help="like 3.12; this Python's by default")
    parser.add_argument("--platform", default="", help="wheel tags; this machine's by default")
    parser.add_argument("--extras", default="", help="of the project, like dev,cluster")
    options = parser.parse_args()
    extras = [extra for extra in re.split(r"[\s,]+", options.extras) if extra]
    try:
        make_bundle(options.out, Target.read(options.python_version, options.platform), extras)
    except BundleError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.strerror or error}: {error.filename or options.out}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
