"""A deployment on trial: it happens on the cluster that is up, under load, while a scenario makes things go wrong.

A scenario is a TOML file. One run of it is a trial, and what clients and ECS saw of it is a record. The record is held
to what the scenario expects and to the caller's limits.
"""
