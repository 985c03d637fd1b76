"""What is learned, by whom and in which loop: tasks, populations of agents, training and its files."""
