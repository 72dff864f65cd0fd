"""What was asked of the pipeline and what became of it, and the judgement over that. Pure.

A history is a sequence of events (`events`), one JSON object a line in a file. `check` (`checker`) says what went
wrong, `story` tells everything that one e-mail met.
"""
