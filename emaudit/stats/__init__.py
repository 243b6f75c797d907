"""Statistics: plain numbers in, frozen results out. Pure; functions load numpy and scipy when they need them."""

import os

# Products of small matrices are several times slower in threads, and their last digits then depend on the machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
