"""Simulated scans with their truth: a recipe in, a Dataset out."""

from ptychogui.engine.simulate.recipe import Recipe
from ptychogui.engine.simulate.recipes import AnyRecipe, recipes
from ptychogui.engine.simulate.scene import simulate

__all__ = ["AnyRecipe", "Recipe", "recipes", "simulate"]
