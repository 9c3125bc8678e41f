"""Oracles, exact evaluation, measures and reports."""

from typing import TYPE_CHECKING

from myopia.common.lazy import lazy_names
from myopia.common.search_path import import_libraries

import_libraries("scipy.stats", "matplotlib.figure", "jinja2")

if TYPE_CHECKING:
    from myopia.analysis.evaluation.context import EvaluationContext
    from myopia.analysis.evaluation.evaluate_run import evaluate_run
    from myopia.analysis.evaluation.evaluation import Evaluation, evaluate_agent, evaluate_sampled
    from myopia.analysis.evaluation.evaluation import evaluate as evaluate_policy
    from myopia.analysis.evaluation.open_subject import evaluate_subject, open_subject
    from myopia.analysis.exact.discount_fit import fit_discount
    from myopia.analysis.exact.incentives import check_incentives
    from myopia.analysis.exact.occupancy import occupancy
    from myopia.analysis.exact.oracle import optimal_actions, oracle_policy, solve
    from myopia.analysis.exact.policies import agent_policy, reference_policy
    from myopia.analysis.measures.measure import MEASURES
    from myopia.analysis.probes.probe import PROBES, run_probes
    from myopia.analysis.report.figure import draw_figures
    from myopia.analysis.report.report import write_report
    from myopia.analysis.report.results import Results, Run, collect
    from myopia.analysis.report.verdict import verdict
    from myopia.analysis.representations.files import represent
    from myopia.analysis.representations.inspection import Inspection
    from myopia.analysis.representations.run import inspection_of
    from myopia.analysis.sampled.wrapped_env import evaluate_env
    from myopia.analysis.studies.execution.run import run_study
    from myopia.analysis.studies.study import Study, load_study

_NAMES = {
    "Evaluation": "myopia.analysis.evaluation.evaluation:Evaluation",
    "EvaluationContext": "myopia.analysis.evaluation.context:EvaluationContext",
    "Inspection": "myopia.analysis.representations.inspection:Inspection",
    "Results": "myopia.analysis.report.results:Results",
    "Run": "myopia.analysis.report.results:Run",
    "Study": "myopia.analysis.studies.study:Study",
    "agent_policy": "myopia.analysis.exact.policies:agent_policy",
    "MEASURES": "myopia.analysis.measures.measure:MEASURES",
    "PROBES": "myopia.analysis.probes.probe:PROBES",
    "check_incentives": "myopia.analysis.exact.incentives:check_incentives",
    "collect": "myopia.analysis.report.results:collect",
    "draw_figures": "myopia.analysis.report.figure:draw_figures",
    "evaluate_agent": "myopia.analysis.evaluation.evaluation:evaluate_agent",
    "evaluate_env": "myopia.analysis.sampled.wrapped_env:evaluate_env",
    "evaluate_policy": "myopia.analysis.evaluation.evaluation:evaluate",
    "evaluate_run": "myopia.analysis.evaluation.evaluate_run:evaluate_run",
    "evaluate_sampled": "myopia.analysis.evaluation.evaluation:evaluate_sampled",
    "evaluate_subject": "myopia.analysis.evaluation.open_subject:evaluate_subject",
    "fit_discount": "myopia.analysis.exact.discount_fit:fit_discount",
    "inspection_of": "myopia.analysis.representations.run:inspection_of",
    "load_study": "myopia.analysis.studies.study:load_study",
    "occupancy": "myopia.analysis.exact.occupancy:occupancy",
    "open_subject": "myopia.analysis.evaluation.open_subject:open_subject",
    "optimal_actions": "myopia.analysis.exact.oracle:optimal_actions",
    "oracle_policy": "myopia.analysis.exact.oracle:oracle_policy",
    "reference_policy": "myopia.analysis.exact.policies:reference_policy",
    "represent": "myopia.analysis.representations.files:represent",
    "run_probes": "myopia.analysis.probes.probe:run_probes",
    "run_study": "myopia.analysis.studies.execution.run:run_study",
    "solve": "myopia.analysis.exact.oracle:solve",
    "verdict": "myopia.analysis.report.verdict:verdict",
    "write_report": "myopia.analysis.report.report:write_report",
}

__all__ = [
    "MEASURES",
    "PROBES",
    "Evaluation",
    "EvaluationContext",
    "Inspection",
    "Results",
    "Run",
    "Study",
    "agent_policy",
    "check_incentives",
    "collect",
    "draw_figures",
    "evaluate_agent",
    "evaluate_env",
    "evaluate_policy",
    "evaluate_run",
    "evaluate_sampled",
    "evaluate_subject",
    "fit_discount",
    "inspection_of",
    "load_study",
    "occupancy",
    "open_subject",
    "optimal_actions",
    "oracle_policy",
    "reference_policy",
    "represent",
    "run_probes",
    "run_study",
    "solve",
    "verdict",
    "write_report",
]

__getattr__, __dir__ = lazy_names(__name__, _NAMES)
