"""Conditions compared over prompts: what is compared, by which values, and the rows of comparisons.csv. Pure."""
