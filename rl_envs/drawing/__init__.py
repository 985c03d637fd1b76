"""Shapes, pictures and colours that worlds and games draw with. Nothing here knows a world."""
