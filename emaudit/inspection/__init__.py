"""Reading what variants said: filtered lists, one reply in full, and what stands beside it. Knows no UI."""
