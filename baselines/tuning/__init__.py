"""Searching for hyperparameters with Optuna."""
