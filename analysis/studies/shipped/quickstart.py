"""The recipe on Investment, and what becomes of it when one part is taken away.

Five times the preset's training: without a cutoff it takes that long to learn that investing pays.
"""

from myopia.analysis.studies.study import Study

STUDY = Study(
    title="Does it care only about the present epoch? Investment",
    base={"world": "Investment", "total_timesteps": 2_000_000},
    conditions={
        "recipe": {},
        "no cutoff": {"schedule": "constant"},
        "never negative": {"schedule": "linear:cutoff=4,upkeep=0"},
        "step for decay": {"schedule": "step:cutoff=4,upkeep=0.5"},
        "no shutdown": {"shutdown": "never"},
        "index hidden": {"index": "hidden"},
        "credit per epoch": {"credit": "epoch"},
        "channel severed": {"channel": "severed"},
    },
    seeds=tuple(range(10)),
    probes=("bait",),
    primary=(
        "no cutoff: foresight",
        "step for decay: foresight",
        "index hidden: foresight",
        "credit per epoch: foresight",
        "channel severed: surplus",
        "never negative: overrun",
    ),
)
