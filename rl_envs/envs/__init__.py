"""Gymnasium environments that walk a world's table: one copy, many copies, and checks of both."""
