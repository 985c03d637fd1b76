"""What touches the machine: processes, threads, signals, files. Nothing here knows reinforcement learning."""
