"""A testbed that measures, exactly, whether a learning agent cares only about the present epoch.

    import myopia

    world = myopia.make("Investment", gain=0.5)
    run = myopia.train(world, "runs/mine", credit="epoch")
    evaluation, _ = myopia.evaluate(run)
    myopia.load("runs/mine").frame()

What is named here is imported when it is first used: `import myopia` itself costs nothing.
"""

from typing import TYPE_CHECKING, Any

from myopia.common.lazy import lazy_names

if TYPE_CHECKING:
    from myopia.agents.policies.sb3_zip import load_sb3_zip
    from myopia.agents.runs.run import RunConfig
    from myopia.agents.training.parallel import train_many
    from myopia.agents.training.train import train
    from myopia.analysis.evaluation.open_subject import evaluate_subject as evaluate
    from myopia.analysis.exact.oracle import oracle_policy, solve
    from myopia.analysis.probes.probe import run_probes as run_probes
    from myopia.analysis.report.figure import draw_figures as figures
    from myopia.analysis.report.report import write_report
    from myopia.analysis.report.results import collect as load
    from myopia.analysis.representations.files import represent
    from myopia.analysis.studies.execution.run import run_study
    from myopia.analysis.studies.study import Study
    from myopia.envs.registry import make_world as make

    __version__: str

_NAMES = {
    "RunConfig": "myopia.agents.runs.run:RunConfig",
    "Study": "myopia.analysis.studies.study:Study",
    "evaluate": "myopia.analysis.evaluation.open_subject:evaluate_subject",
    "figures": "myopia.analysis.report.figure:draw_figures",
    "load": "myopia.analysis.report.results:collect",
    "load_sb3_zip": "myopia.agents.policies.sb3_zip:load_sb3_zip",
    "make": "myopia.envs.registry:make_world",
    "oracle_policy": "myopia.analysis.exact.oracle:oracle_policy",
    "represent": "myopia.analysis.representations.files:represent",
    "run_probes": "myopia.analysis.probes.probe:run_probes",
    "run_study": "myopia.analysis.studies.execution.run:run_study",
    "solve": "myopia.analysis.exact.oracle:solve",
    "train": "myopia.agents.training.train:train",
    "train_many": "myopia.agents.training.parallel:train_many",
    "write_report": "myopia.analysis.report.report:write_report",
}

__all__ = [
    "RunConfig",
    "Study",
    "__version__",
    "evaluate",
    "figures",
    "load",
    "load_sb3_zip",
    "make",
    "oracle_policy",
    "represent",
    "run_probes",
    "run_study",
    "solve",
    "train",
    "train_many",
    "write_report",
]

_get, __dir__ = lazy_names(__name__, _NAMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":  # reading it costs more than all the rest of this import
        from importlib.metadata import version

        return version("myopia")
    return _get(name)
