"""Running the jobs of a study: what a job is, and the backends that run many of them."""
