"""The routes of the gateway, one module per kind of thing."""
