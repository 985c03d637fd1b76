"""Looking on while agents train, and at agents that have trained: progress, TensorBoard, videos."""
