"""Predictors: opened candidates, whatever format their artefact has."""

from ml_regress.predictors.formats import Format, format_names, saved_libraries
from ml_regress.predictors.opening import open_predictor
from ml_regress.predictors.predictor import Policy, Predictor

__all__ = ["Format", "Policy", "Predictor", "format_names", "open_predictor", "saved_libraries"]
