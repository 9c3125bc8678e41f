"""What an agent's network represents: its layers read on the exact states of its world."""
