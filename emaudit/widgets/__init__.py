"""The parts that screens are made of. They show values; they know neither store nor endpoint."""
