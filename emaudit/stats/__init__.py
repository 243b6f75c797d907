"""Statistics: plain numbers in, frozen results out. Pure; numpy and scipy are loaded by the functions that need them."""

import os

# Products of small matrices are several times slower in threads, and their last digits then depend on the machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
