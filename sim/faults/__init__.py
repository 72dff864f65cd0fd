"""The vocabulary of faults, and seeded plans of them. Pure.

A plan (`plan`) is a seed and rules. Whether a rule hits a call (`decide`) follows from seed, rule and the call's
number among its kind, never from what else happens meanwhile. So the same plan makes the same faults wherever it
acts; each place declares which of them it can do.
"""
