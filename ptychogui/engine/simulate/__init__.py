"""Simulated scans with their truth: a recipe in, a Dataset out."""

from ptychogui.engine.simulate.recipe import Recipe
from ptychogui.engine.simulate.recipes import AnyRecipe, from_toml, recipes
from ptychogui.engine.simulate.scene import simulate, simulating

__all__ = ["AnyRecipe", "Recipe", "from_toml", "recipes", "simulate", "simulating"]
