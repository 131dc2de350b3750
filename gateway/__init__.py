"""The public API: it finds the stages, builds their graph, runs try-ons and keeps the results."""
