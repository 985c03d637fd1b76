"""Windows and frames of an environment: what it draws, what lies over it, and playing by keyboard."""
