"""PPO on table worlds without leaving the device: one model, or many side by side."""
