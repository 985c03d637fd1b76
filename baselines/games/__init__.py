"""Agents in games: their interface, tasks, rollouts and loop, and one file for each learner."""
