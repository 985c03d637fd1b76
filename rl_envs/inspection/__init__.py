"""What is wrong with an environment: read off its exact table, and seen in its own steps."""
