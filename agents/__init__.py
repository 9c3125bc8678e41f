"""Training: Stable-Baselines3 agents in the worlds."""
