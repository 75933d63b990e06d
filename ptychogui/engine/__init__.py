"""The solvers and their physics, in torch: no Qt, no files."""
