"""Regression tests for models, problem by problem."""
