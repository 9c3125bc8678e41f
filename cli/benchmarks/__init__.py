"""What `myopia bench` times, each against a peer in the same run; installed with the command."""
