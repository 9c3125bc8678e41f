"""Population-based training: selection between learners, as an outer loop."""
