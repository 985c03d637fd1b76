"""Rendering an environment: pictures, overlays, and playing with the keyboard."""
