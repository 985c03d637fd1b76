"""Finite Markov decision processes as tables, and their exact solution. Nothing here knows an environment."""
