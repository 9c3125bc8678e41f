"""The page: results, statistics, verdict, figures and sections."""
