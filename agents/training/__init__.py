"""Training an agent in a world, into a run folder."""
