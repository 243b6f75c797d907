"""The embedded OpenAI-compatible endpoint: simulated variants, simulated judges, faults on demand.

Everything it says is made up and says so. Nothing outside this package may depend on how it decides.
"""
