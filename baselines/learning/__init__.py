"""Learning rules and their building blocks, as functions of arrays."""
