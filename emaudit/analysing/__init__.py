"""What F6 and F7 show: questions and answers as frozen values, and the process of its own that computes them."""
