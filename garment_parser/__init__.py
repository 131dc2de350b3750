"""What a garment's picture shows: its parts, landmarks, sleeves and category, by a network that learned from drawings alone."""
