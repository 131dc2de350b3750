"""What a garment is: for the upper body, for the lower, or a dress."""
