"""What is measured in pictures of objects and probes: numpy and scipy only, no Qt, no torch, no files."""
