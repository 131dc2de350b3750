"""The stages as the gateway sees them: whether they are there, how they hang together, and what they answer."""
