"""Statistics: plain numbers in, frozen results out. Pure; numpy and scipy are imported nowhere else."""
