"""What several tests share: slow and obvious versions to compare with."""
