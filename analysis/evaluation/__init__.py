"""One agent, or one run, evaluated."""
