"""Representations: metrics, their audit, toy models of superposition, loss curves.

Knows nothing of reinforcement learning but what is handed to it. The metrics are imported with the
package, what is built on them when it is first used.
"""

from typing import TYPE_CHECKING

from myopia.common.lazy import lazy_names
from myopia.common.search_path import import_libraries

import_libraries("torch", "scipy.stats", "matplotlib.figure", "safetensors.torch")

from myopia.superposition import metrics  # noqa: E402
from myopia.superposition.metrics import *  # noqa: E402, F403

if TYPE_CHECKING:
    from myopia.superposition.audit.canonical import canonical
    from myopia.superposition.audit.network import Network
    from myopia.superposition.audit.search import worst_scaling
    from myopia.superposition.audit.table import audit_network
    from myopia.superposition.curves.descent import Descent, descend
    from myopia.superposition.erasure import Erasure
    from myopia.superposition.linear_decoder import held_out_r2, linear_r2
    from myopia.superposition.readout import decoded_map, feature_directions
    from myopia.superposition.similarity import linear_cka, procrustes_distance
    from myopia.superposition.topk_sae import TopKSAE, train_topk_sae
    from myopia.superposition.toy.data import Features as ToyFeatures
    from myopia.superposition.toy.model import Shape, ToyModel
    from myopia.superposition.toy.train import Training
    from myopia.superposition.toy.train import train as train_toy_model

_NAMES = {
    "Descent": "myopia.superposition.curves.descent:Descent",
    "Erasure": "myopia.superposition.erasure:Erasure",
    "Network": "myopia.superposition.audit.network:Network",
    "Shape": "myopia.superposition.toy.model:Shape",
    "TopKSAE": "myopia.superposition.topk_sae:TopKSAE",
    "ToyFeatures": "myopia.superposition.toy.data:Features",
    "ToyModel": "myopia.superposition.toy.model:ToyModel",
    "Training": "myopia.superposition.toy.train:Training",
    "audit_network": "myopia.superposition.audit.table:audit_network",
    "canonical": "myopia.superposition.audit.canonical:canonical",
    "decoded_map": "myopia.superposition.readout:decoded_map",
    "descend": "myopia.superposition.curves.descent:descend",
    "feature_directions": "myopia.superposition.readout:feature_directions",
    "held_out_r2": "myopia.superposition.linear_decoder:held_out_r2",
    "linear_cka": "myopia.superposition.similarity:linear_cka",
    "linear_r2": "myopia.superposition.linear_decoder:linear_r2",
    "procrustes_distance": "myopia.superposition.similarity:procrustes_distance",
    "train_topk_sae": "myopia.superposition.topk_sae:train_topk_sae",
    "train_toy_model": "myopia.superposition.toy.train:train",
    "worst_scaling": "myopia.superposition.audit.search:worst_scaling",
}

__all__ = [
    "Descent",
    "Erasure",
    "Network",
    "Shape",
    "TopKSAE",
    "ToyFeatures",
    "ToyModel",
    "Training",
    "audit_network",
    "canonical",
    "decoded_map",
    "descend",
    "feature_directions",
    "held_out_r2",
    "linear_cka",
    "linear_r2",
    "procrustes_distance",
    "train_topk_sae",
    "train_toy_model",
    "worst_scaling",
]
__all__ += metrics.__all__

__getattr__, _lazily = lazy_names(__name__, _NAMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_lazily()})
