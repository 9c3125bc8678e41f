"""Sparse dictionaries of a layer: top-k autoencoders, several seeds as one tensor.

Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", arXiv 2406.04093.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Generator, Tensor

from myopia.common.files import write_whole
from myopia.superposition.metrics.arrays import Array, nonzero, sample_weights, tensor

STATES_PER_LATENT = 4
"""Fewer distinct samples for each latent than this, and a dictionary could learn them by heart."""
AUXILIARY = 1 / 32
"""Weight of the loss that wakes latents up; Gao et al., section A.2."""
ASLEEP = 100
"""A latent that no sample used for so many steps is asleep."""


@dataclass(frozen=True)
class TopKSAE:
    """`(top-k of (h - bias) encoder + encoder_bias) decoder + bias`; rows of decoder have norm 1.

    encoder (seeds, d_hidden, latents), encoder_bias (seeds, latents),
    decoder (seeds, latents, d_hidden), bias (seeds, d_hidden).
    """

    encoder: Tensor
    encoder_bias: Tensor
    decoder: Tensor
    bias: Tensor
    k: int

    def before(self, H: Tensor) -> Tensor:
        """(samples, d_hidden) -> what each latent would say, (seeds, samples, latents)."""
        return (H - self.bias.unsqueeze(1)) @ self.encoder + self.encoder_bias.unsqueeze(1)

    def encode(self, H: Tensor) -> Tensor:
        """(samples, d_hidden) -> the k largest latents, the rest 0, (seeds, samples, latents)."""
        return _largest(self.before(H), self.k)

    def __call__(self, H: Tensor) -> Tensor:
        """(samples, d_hidden) -> reconstructions (seeds, samples, d_hidden)."""
        return self.encode(H) @ self.decoder + self.bias.unsqueeze(1)

    def save(self, folder: Path, seed: int) -> None:
        """Write one seed under SAELens's file names: cfg.json and sae_weights.safetensors."""
        entries = {"W_enc": self.encoder, "b_enc": self.encoder_bias}
        entries |= {"W_dec": self.decoder, "b_dec": self.bias}
        weights = {name: value[seed].float().contiguous() for name, value in entries.items()}
        latents, d_hidden = self.decoder.shape[1:]
        config = {
            "architecture": "topk",
            "k": self.k,
            "d_in": d_hidden,
            "d_sae": latents,
            "dtype": "float32",
            "device": "cpu",
            "apply_b_dec_to_input": True,
            "normalize_activations": "none",
            "reshape_activations": "none",
            "rescale_acts_by_decoder_norm": False,
            "metadata": {},
        }
        write_whole(folder / "cfg.json", lambda path: path.write_text(json.dumps(config, indent=2)))
        write_whole(folder / "sae_weights.safetensors", lambda path: save_file(weights, path))


def train_topk_sae(
    H: Array,
    latents: int,
    k: int,
    seeds: int = 5,
    weights: Array | None = None,
    steps: int = 1500,
    batch: int = 256,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> TopKSAE:
    """Train `seeds` dictionaries of activations H (samples, d_hidden), all at once.

    Args:
        H: activations.
        latents: entries of a dictionary.
        k: how many of them a sample may use.
        seeds: how many dictionaries; they differ in their start.
        weights: (samples,), how often each sample is drawn.
        steps: of Adam; the learning rate falls to 0 over the last half.
        batch: samples in a step.
        learning_rate: of Adam, for activations of mean square 1.
        seed: of the generator.

    Raises:
        ValueError: H is no finite real matrix, it is constant, k is not in 1..latents, or H has
            fewer than 4 distinct samples for each latent.
    """
    activations = tensor(H, "H", 2).float()
    if not 1 <= k <= latents:
        raise ValueError(f"k must lie in 1..{latents}, the number of latents, but is {k}")
    distinct = len(activations.unique(dim=0))
    if distinct < STATES_PER_LATENT * latents:
        raise ValueError(
            f"{latents} latents want at least {STATES_PER_LATENT * latents} distinct samples, "
            f"but there are {distinct}"
        )
    generator = Generator().manual_seed(seed)
    share = sample_weights(weights, activations)
    mean = share @ activations
    size = (share @ (activations - mean).square().sum(1)).div(activations.shape[1]).sqrt()
    data = (activations - mean) / size
    model = _start(data, latents, k, seeds, generator)
    parameters = (model.encoder, model.encoder_bias, model.decoder, model.bias)
    optimiser = torch.optim.Adam(
        [parameter.requires_grad_() for parameter in parameters], lr=learning_rate
    )
    decay = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, 2 * (1 - step / steps))
    )
    quiet = torch.zeros(seeds, latents)
    for _ in range(steps):
        x = data[torch.multinomial(share, batch, replacement=True, generator=generator)]
        said = model.before(x)
        codes = _largest(said, k)
        gap = x - codes @ model.decoder - model.bias.unsqueeze(1)
        quiet = torch.where((codes > 0).any(1), 0.0, quiet + 1)
        asleep = (quiet > ASLEEP).unsqueeze(1)
        woken = _largest(torch.where(asleep, said, -torch.inf), min(2 * k, latents))
        rest = gap.detach() - woken @ model.decoder
        loss = gap.square().mean((1, 2)) + AUXILIARY * rest.square().mean((1, 2))
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
        decay.step()
        with torch.no_grad():
            model.decoder.div_(nonzero(model.decoder.norm(dim=2, keepdim=True)))
    encoder, encoder_bias, decoder, bias = (parameter.detach() for parameter in parameters)
    # the units of the activations again: codes carry their size
    return TopKSAE(encoder, size * encoder_bias, decoder, size * bias + mean, k)


def explained(H: Array, rebuilt: Tensor, weights: Array | None = None) -> Tensor:
    """Share (seeds,) of the variance of H (samples, d_hidden) that `rebuilt` (seeds, ...) keeps."""
    activations = tensor(H, "H", 2).to(rebuilt)
    share = sample_weights(weights, activations).unsqueeze(1)
    centred = activations - (share * activations).sum(0)
    error = (share * (rebuilt - activations).square()).sum((-2, -1))
    return 1 - error / (share * centred.square()).sum()


def pursued(H: Tensor, atoms: Tensor, k: int) -> Tensor:
    """H (samples, d_hidden), centred, rebuilt from the k atoms (latents, d_hidden) most in line.

    The atoms have norm 1; their coefficients are by least squares: what a dictionary without an
    encoder of its own can do.
    """
    chosen = (H @ atoms.T).abs().topk(k, dim=1).indices
    basis = atoms[chosen].transpose(1, 2)
    return (basis @ (torch.linalg.pinv(basis) @ H.unsqueeze(2))).squeeze(2)


def best_cosines(directions: Tensor, atoms: Tensor) -> Tensor:
    """|cosine| (..., n) of each direction (n, d_hidden) with its best atom (..., latents, d)."""
    unit = directions / nonzero(directions.norm(dim=-1, keepdim=True))
    return (unit @ atoms.transpose(-1, -2)).abs().amax(-1)


def _start(data: Tensor, latents: int, k: int, seeds: int, generator: Generator) -> TopKSAE:
    """Latents begin, tied, as samples that point far apart: drawn as in k-means++, by angle."""
    unit = data / nonzero(data.norm(dim=1, keepdim=True))
    starts = []
    for _ in range(seeds):
        chosen = [int(torch.randint(len(unit), (1,), generator=generator))]
        far = torch.full((len(unit),), torch.inf)
        while len(chosen) < latents:
            far = torch.minimum(far, 1 - unit @ unit[chosen[-1]])
            chances = far.clamp_min(0).square() + 1e-12
            chosen.append(int(torch.multinomial(chances, 1, generator=generator)))
        starts.append(unit[chosen])
    decoder = torch.stack(starts)
    encoder = decoder.transpose(1, 2).clone()
    bias, encoder_bias = torch.zeros(seeds, data.shape[1]), torch.zeros(seeds, latents)
    return TopKSAE(encoder, encoder_bias, decoder, bias, k)


def _largest(said: Tensor, k: int) -> Tensor:
    values, places = said.topk(k, dim=-1)
    return torch.zeros_like(said).scatter(-1, places, values.relu())
