"""From somebody's environment to its exact table: every draw of chance enumerated, every state walked to."""
