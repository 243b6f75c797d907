"""Merging one store into another, inside one transaction, and reading what was merged.

`bringing` owns the order; `known` the variants of both sides; `maps` how any row is matched and numbered; `names` what
replies are named by; `slots` cells, plans and clashes; `rows` replies, verdicts and runs; `queues` reviews; `recording`
writes which rows came by which merge, and `origins` reads that for everyone who walks hash chains afterwards.
"""
