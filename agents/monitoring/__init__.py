"""Evaluations in the middle of training, with elicitation and an alarm."""
