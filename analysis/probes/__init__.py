"""Probes: what was learned, told by judging the agent in worlds that it was not trained in."""
