"""A testbed that measures whether a learning agent cares only about the present epoch."""
