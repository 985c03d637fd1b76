"""Gymnasium environments that sample from a world's table: single, vectorised, and checks of both."""
