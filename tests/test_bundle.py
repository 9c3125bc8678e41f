"""A bundle installs without an index, keeps what is there, and refuses what it is not for."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

BUNDLING = Path(__file__).resolve().parents[1] / "bundling"
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def load(name: str) -> ModuleType:
    """A script of the folder, as a module."""
    spec = importlib.util.spec_from_file_location(f"bundling_{name}", BUNDLING / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bundle, install = load("bundle"), load("install")


# what is collected


def test_a_manylinux_tag_stands_for_those_of_every_older_glibc() -> None:
    tags = bundle.Target.read("3.12.1", "manylinux_2_17_aarch64").tags
    assert tags[:3] == ("manylinux_2_17_aarch64", "manylinux2014_aarch64", "manylinux_2_16_aarch64")
    assert tags[-2:] == ("manylinux_2_5_aarch64", "manylinux1_aarch64")


def test_several_tags_are_taken_once_each() -> None:
    target = bundle.Target.read("3.12.1", "manylinux_2_6_x86_64,manylinux1_x86_64 win_amd64")
    assert target.tags == (
        *("manylinux_2_6_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64"),
        "win_amd64",
    )
    options = [f"--platform={tag}" for tag in target.tags]
    assert target.options() == ["--python-version=3.12", *options]


@pytest.mark.parametrize(
    ("tag", "system", "machine"),
    [
        ("manylinux_2_28_x86_64", "linux", "x86_64"),
        ("manylinux2014_aarch64", "linux", "aarch64"),
        ("macosx_11_0_arm64", "darwin", "arm64"),
        ("win_amd64", "win32", "AMD64"),
    ],
)
def test_conditions_are_read_for_the_target(tag: str, system: str, machine: str) -> None:
    values = bundle.Target.read("3.13", tag).environment()
    assert (values["sys_platform"], values["platform_machine"]) == (system, machine)
    assert (values["python_version"], values["python_full_version"]) == ("3.13", "3.13.0")


@pytest.mark.parametrize(
    ("python", "platform", "sentence"),
    [
        ("3.x", "", "PYTHON_VERSION is '3.x': it must be like 3.12"),
        ("", "linux_x86_64", "PLATFORM is 'linux_x86_64': wheels for Linux name the oldest glibc"),
        ("", "win_amd64 amiga", "PLATFORM has 'amiga': it must be like manylinux_2_28_x86_64"),
    ],
)
def test_a_target_that_is_none_is_told(python: str, platform: str, sentence: str) -> None:
    with pytest.raises(bundle.BundleError) as told:
        bundle.Target.read(python, platform)
    assert str(told.value).startswith(sentence)


def wheel(name: str, *requires: str):
    """What a wheel says that needs others."""
    needs = tuple(map(Requirement, requires))
    return bundle.Wheel(f"{name}.whl", name, "1.0", needs, SpecifierSet())


WHEELS = {
    one.name: one
    for one in (
        wheel(
            "myopia", "torch>=2.8", "a>=1", "b", 'old; python_version < "3.13"', 'x; extra == "dev"'
        ),
        wheel("a", "b[more]<3", 'colour; sys_platform == "win32"', "torch<3"),
        wheel("b", "a!=1.5", 'c>=4; extra == "more"', 'd; extra == "less"'),
        wheel("torch", "nvidia-cublas", "triton"),
    )
}


@pytest.mark.parametrize(
    ("python", "platform", "extras", "more"),
    [
        ("3.13", "manylinux_2_28_x86_64", (), set()),
        ("3.12", "manylinux_2_28_x86_64", ("dev",), {"old", "x"}),
        ("3.13", "win_amd64", (), {"colour"}),
    ],
)
def test_what_is_needed_is_followed_up_to_torch(python, platform, extras, more) -> None:
    target = bundle.Target.read(python, platform)
    needs = bundle.needed(WHEELS, extras, target.environment())
    assert needs.keys() == {"myopia", "torch", "a", "b", "c"} | more
    assert needs["torch"].specifier == SpecifierSet(">=2.8,<3")
    assert needs["a"].specifier == SpecifierSet(">=1,!=1.5")
    assert str(needs["b"]) == "b[more]<3"


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch) -> Path:
    """A folder that is the only place where pip looks for wheels."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "stubs"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.parametrize(
    ("asked", "pin", "sentence"),
    [
        (
            "gone>=1",
            "other==1",
            "no index that pip knows has a wheel of gone>=1 for Python 3.12 on",
        ),
        ("there>=1", "there==3", "no index that pip knows has a wheel of there==3 for Python 3.12"),
        ("there>=1", "there==0.5", "pip finds no wheels that fit together for Python 3.12 on"),
    ],
)
def test_a_wheel_that_is_missing_is_told(
    stubs: Path, tmp_path: Path, asked: str, pin: str, sentence: str
) -> None:
    bundle.stub_wheel(stubs, "there", "2.0")
    (tmp_path / "pins.txt").write_text(pin, encoding="utf-8")
    target = bundle.Target.read("3.12", "manylinux_2_28_x86_64")
    options = ["--only-binary=:all:", f"--dest={tmp_path}", f"--constraint={tmp_path / 'pins.txt'}"]
    with pytest.raises(bundle.BundleError) as told:
        bundle.pip("download", *options, *target.options(), asked, target=target)
    assert str(told.value).startswith(sentence)
    assert "\n" not in str(told.value)


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("", encoding="utf-8")
    with pytest.raises(bundle.BundleError, match="is no bundle: say another OUT"):
        bundle.make_bundle(tmp_path, bundle.Target.read("", ""))
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


# what is installed


class Machine:
    """A fresh virtual environment that knows no index."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True, symlinks=True)
        self.python = folder / "bin" / "python"
        self.site = next(folder.glob("lib/python*/site-packages"))

    def put(self, name: str, version: str) -> None:
        """Install a stub."""
        (self.site / "stubs").mkdir(exist_ok=True)
        with zipfile.ZipFile(bundle.stub_wheel(self.site / "stubs", name, version)) as archive:
            archive.extractall(self.site)

    def drop(self, name: str) -> None:
        """Remove a stub."""
        shutil.rmtree(self.site / name, ignore_errors=True)
        for path in self.site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(path)

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run this Python, with settings of pip that would break every installation."""
        return subprocess.run(
            [str(self.python), *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**os.environ, "PIP_CONSTRAINT": "/nowhere", "PIP_INDEX_URL": "http://nowhere"},
        )

    def versions(self, *more: object) -> dict[str, str]:
        """Name -> version of all that is installed."""
        told = self.run("-m", "pip", "list", "--isolated", "--format=json", *more)
        return {
            one["name"].lower().replace("_", "-"): one["version"] for one in json.loads(told.stdout)
        }

    def digests(self, *names: str) -> dict[str, str]:
        """File -> digest, in the folders of some packages, or of all."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for pattern in names or ("",)
            for path in self.site.glob(f"{pattern}*/**/*")
            if path.is_file() and path.suffix != ".pyc"
        }


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def machine(shared: Machine) -> Machine:
    """The environment, with a torch and nothing else."""
    for name in ("torch", "myopia", "numpy", "tqdm"):
        shared.drop(name)
    shared.put("torch", "2.11.0+cu130")
    return shared


def rewrite(path: Path, texts: dict[str, str]) -> None:
    """Add texts to the ends of files in a wheel."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name in {**files, **texts}:
            archive.writestr(name, files.get(name, "") + texts.get(name, ""))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A bundle of stubs, of which `myopia` has a command, and needs what no folder has."""
    folder = tmp_path / "bundle"
    (folder / "wheels").mkdir(parents=True)
    wheels = {"myopia": ("0.1.0", ""), "numpy": ("2.4.6", ">=1.26,<3"), "tqdm": ("4.70.1", ">=4")}
    for name, (version, _) in wheels.items():
        path = bundle.stub_wheel(folder / "wheels", name, version)
        if name == "myopia":
            more = "Requires-Dist: torch>=99\nRequires-Dist: nvidia-cublas\n"
            command = {"myopia/cli/main.py": "print('myopia 0.1.0')\n"}
            rewrite(path, {"myopia-0.1.0.dist-info/METADATA": more, **command})
    manifest = {
        "project": "myopia",
        "version": "0.1.0",
        "python": HERE,
        "platform": "anything",
        "torch": ">=2.8,<3.0",
        "wheels": {name: {"version": one, "needs": needs} for name, (one, needs) in wheels.items()},
    }
    (folder / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    shutil.copy(BUNDLING / "install.py", folder)
    return folder


@pytest.mark.parametrize("numpy", ["2.0.0", "2.5.0rc1"])
def test_what_is_good_enough_stays(machine: Machine, small: Path, numpy: str) -> None:
    machine.put("myopia", "0.1.0")  # an earlier one of the same version
    machine.put("numpy", numpy)
    machine.put("tqdm", "3.9")
    before = machine.digests("torch", "numpy")
    told = machine.run(small / "install.py")
    assert told.stdout == (
        f"Found and kept torch 2.11.0+cu130 and numpy {numpy}; "
        f"installed 2 packages into {machine.site}.\nmyopia 0.1.0\n"
    ), told.stderr
    assert machine.digests("torch", "numpy") == before
    assert machine.versions().items() >= {"numpy": numpy, "tqdm": "4.70.1"}.items()


@pytest.mark.parametrize("numpy", [None, "1.25.0", "3.0"])
def test_what_is_not_good_enough_is_replaced(machine: Machine, small: Path, numpy) -> None:
    if numpy:
        machine.put("numpy", numpy)
    assert machine.run(small / "install.py").returncode == 0
    assert machine.versions()["numpy"] == "2.4.6"


def test_a_folder_takes_what_the_environment_may_not(
    machine: Machine, small: Path, monkeypatch
) -> None:
    machine.put("numpy", "2.0.0")
    before, target = machine.digests(), small.parent / "a target"
    monkeypatch.setenv("PYTHONPATH", str(target))
    for _ in range(2):
        told = machine.run(small / "install.py", "--target", target)
        assert told.stdout == (
            "Found and kept torch 2.11.0+cu130 and numpy 2.0.0; "
            f"installed 2 packages into {target}.\nmyopia 0.1.0\n"
        ), told.stderr
        assert machine.versions("--path", target) == {"myopia": "0.1.0", "tqdm": "4.70.1"}
        (target / "myopia" / "cli" / "main.py").unlink()
        (target / "left_over").mkdir()
    assert {path.name for path in target.iterdir()} == {
        *(".bundle", "left_over", "myopia", "myopia-0.1.0.dist-info"),
        *("tqdm", "tqdm-4.70.1.dist-info"),
    }
    (small / "wheels" / "tqdm-4.70.1-py3-none-any.whl").unlink()
    there = sorted(target.rglob("*"))
    assert machine.run(small / "install.py", "--target", target).returncode == 2
    assert sorted(target.rglob("*")) == there
    assert machine.digests() == before


def test_a_folder_of_others_is_left_alone(machine: Machine, small: Path) -> None:
    (small / "mine").mkdir()
    (small / "mine" / "torch").touch()
    told = machine.run(small / "install.py", "--target", small / "mine")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == f"{small / 'mine'} holds something else: say a new folder\n"
    told = machine.run(small / "install.py", "--target", small / "mine" / "torch" / "here")
    assert told.stderr == f"Not a directory: {small / 'mine' / 'torch' / 'here'}\n"
    assert [path.name for path in (small / "mine").iterdir()] == ["torch"]


def test_a_vendors_build_counts_as_its_release(machine: Machine, small: Path) -> None:
    machine.drop("torch")
    machine.put("torch", "2.8.0a0+5228986c39.nv25.5")
    told = machine.run(small / "install.py")
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize(
    ("torch", "changed", "sentence"),
    [
        (None, {}, "has no torch, and this bundle needs >=2.8,<3.0: install torch first"),
        ("2.7.1+cu126", {}, "torch is 2.7.1+cu126, and this bundle needs >=2.8,<3.0"),
        ("3.0", {}, "torch is 3.0, and this bundle needs >=2.8,<3.0"),
        ("2.11.0", {"python": "3.99"}, "this bundle is for Python 3.99, and "),
        ("2.11.0", {"wheels": {"gone": {"version": "1", "needs": ""}}}, "found for gone==1"),
    ],
)
def test_refusals(machine: Machine, small: Path, torch, changed: dict, sentence: str) -> None:
    machine.drop("torch")
    if torch:
        machine.put("torch", torch)
    manifest = json.loads((small / "bundle.json").read_text(encoding="utf-8"))
    (small / "bundle.json").write_text(json.dumps({**manifest, **changed}), encoding="utf-8")
    before = machine.digests()
    told = machine.run(small / "install.py")
    assert (told.returncode, told.stdout) == (2, "")
    assert sentence in told.stderr
    assert told.stderr.count("\n") == 1
    assert machine.digests() == before


def test_what_does_not_start_is_told(machine: Machine, small: Path) -> None:
    bundle.stub_wheel(small / "wheels", "myopia", "0.1.0")
    told = machine.run(small / "install.py")
    assert told.returncode == 2
    assert told.stderr.startswith("what was installed does not start: ")


def test_a_script_without_its_bundle_is_told(machine: Machine) -> None:
    told = machine.run(BUNDLING / "install.py")
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "has no bundle.json" in told.stderr


def test_a_python_without_pip_is_told(tmp_path: Path, small: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    told = subprocess.run(
        [str(tmp_path / "bare" / "bin" / "python"), str(small / "install.py")],
        capture_output=True,
        text=True,
    )
    assert told.returncode == 2
    assert "has no pip" in told.stderr


def test_an_environment_that_may_not_be_written_is_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / name))
    assert install.check_writable() == str(tmp_path / "purelib")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(install.InstallError, match="purelib is not writable: say --target DIR"):
        install.check_writable()
    (tmp_path / "stdlib").mkdir()
    (tmp_path / "stdlib" / "EXTERNALLY-MANAGED").touch()
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    with pytest.raises(install.InstallError, match="managed by the system: say --target DIR"):
        install.check_writable()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_bundle(tmp_path: Path) -> None:
    """Made for the Python that runs, and installed in a fresh environment without an index."""
    out = tmp_path / "bundle"
    line = [sys.executable, str(BUNDLING / "bundle.py"), "--out", str(out)]
    made = subprocess.run(line, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert f"for Python {HERE} on" in made.stdout
    assert sorted(path.name for path in out.iterdir()) == [
        *("README.txt", "bundle.json", "install.py", "wheels"),
    ]
    manifest = json.loads((out / "bundle.json").read_text(encoding="utf-8"))
    names = manifest["wheels"].keys()
    assert len(list((out / "wheels").iterdir())) == len(names)
    assert not [name for name in names if name.startswith(("torch", "nvidia", "triton", "cuda"))]
    assert {"myopia", "numpy", "scipy", "gymnasium", "stable-baselines3"} <= names

    machine = Machine(tmp_path / "machine")
    for name, version in (("torch", "2.11.0+cu130"), ("nvidia-cublas", "13.0.0")):
        machine.put(name, version)
    before, there = machine.digests("torch", "nvidia"), machine.versions()
    told = machine.run(out / "install.py")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("Found and kept torch 2.11.0+cu130")
    assert told.stdout.endswith(f"into {machine.site}.\nmyopia {manifest['version']}\n")
    assert machine.digests("torch", "nvidia") == before
    wheels = {name: one["version"] for name, one in manifest["wheels"].items()}
    assert machine.versions() == {**wheels, **there}
    sound = machine.run("-m", "pip", "check", "--isolated")
    assert sound.returncode == 0, sound.stdout
    loaded = machine.run("-c", "import matplotlib.pyplot, polars, scipy.stats, gymnasium, tyro")
    assert loaded.returncode == 0, loaded.stderr

    target = tmp_path / "target"
    told = machine.run(out / "install.py", "--target", target)
    assert "installed 1 package into" in told.stdout, told.stderr
    assert machine.versions("--path", target) == {"myopia": manifest["version"]}
