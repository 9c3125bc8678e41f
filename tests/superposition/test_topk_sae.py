"""Sparse dictionaries find planted features, and are saved as others save them."""

import json

import pytest
import torch
from safetensors.torch import load_file

from myopia.superposition.topk_sae import (
    best_cosines,
    explained,
    pursued,
    train_topk_sae,
)


def planted(features=20, dimensions=10, samples=2048):
    """Features of a toy layer, of which few are active: directions and activations."""
    generator = torch.Generator().manual_seed(0)
    W = torch.randn(features, dimensions, generator=generator)
    W = W / W.norm(dim=1, keepdim=True)
    active = torch.rand(samples, features, generator=generator) < 0.05
    return W, torch.where(active, torch.rand(active.shape, generator=generator), 0.0) @ W


@pytest.fixture(scope="module")
def trained():
    W, H = planted()
    return W, H, train_topk_sae(H, latents=40, k=2, seeds=3, steps=700)


def test_planted_features_are_recovered(trained):
    W, H, dictionary = trained
    assert best_cosines(W, dictionary.decoder).mean(1).min() >= 0.95
    random = torch.randn(40, 10, generator=torch.Generator().manual_seed(1))
    random = random / random.norm(dim=1, keepdim=True)
    assert best_cosines(W, random).mean() < 0.8
    assert explained(H, dictionary(H)).min() > 0.85


def test_no_sample_uses_more_than_k(trained):
    _, H, dictionary = trained
    codes = dictionary.encode(H)
    assert (codes > 0).sum(-1).max() <= 2
    assert codes.min() >= 0


def test_saved_files_give_the_same_codes(trained, tmp_path):
    _, H, dictionary = trained
    dictionary.save(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cfg.json",
        "sae_weights.safetensors",
    ]
    config = json.loads((tmp_path / "cfg.json").read_text())
    assert (config["architecture"], config["d_in"], config["d_sae"], config["k"]) == (
        "topk",
        10,
        40,
        2,
    )
    w = load_file(tmp_path / "sae_weights.safetensors")
    # SAELens's forward pass: the decoder's bias comes off first
    said = (H - w["b_dec"]) @ w["W_enc"] + w["b_enc"]
    values, places = said.topk(config["k"], dim=1)
    codes = torch.zeros_like(said).scatter(1, places, values.relu())
    rebuilt = codes @ w["W_dec"] + w["b_dec"]
    assert torch.allclose(rebuilt, dictionary(H)[1], atol=1e-5)


def test_saelens_opens_it(tmp_path):
    sae_lens = pytest.importorskip("sae_lens", reason="SAELens is not installed")
    _, H = planted(samples=512)
    dictionary = train_topk_sae(H, 16, 2, 2, steps=3)
    dictionary.save(tmp_path, seed=1)
    opened = sae_lens.SAE.load_from_disk(tmp_path, device="cpu")
    with torch.no_grad():
        assert torch.allclose(opened.encode(H).to_dense(), dictionary.encode(H)[1], atol=1e-5)
        assert torch.allclose(opened(H), dictionary(H)[1], atol=1e-5)


def test_seeds_differ_and_are_repeatable():
    _, H = planted(samples=512)
    one, two = (train_topk_sae(H, 16, 2, 2, steps=3, seed=5) for _ in range(2))
    assert torch.equal(one.decoder, two.decoder)
    assert not torch.equal(one.decoder[0], one.decoder[1])


def test_pursuit_is_least_squares_on_the_chosen_atoms():
    atoms = torch.eye(5)
    H = torch.tensor([[3.0, -4.0, 0.5, 0, 0.1]])
    assert torch.allclose(pursued(H, atoms, 2), torch.tensor([[3.0, -4.0, 0, 0, 0]]), atol=1e-6)


@pytest.mark.parametrize(
    ("latents", "k", "sentence"),
    [(16, 17, "k must lie in 1..16"), (513, 2, "want at least 2052 distinct samples")],
)
def test_what_cannot_be_trained(latents, k, sentence):
    with pytest.raises(ValueError, match=sentence):
        train_topk_sae(planted()[1], latents, k)
