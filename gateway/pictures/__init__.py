"""Pictures that came from outside: taken within bounds, kept by their digest, made small."""
