"""What was asked of the pipeline and what became of it, and the verdict over that. Pure.

A history is a sequence of events (`events`), one JSON object a line in a file. `check` (`checker`) says what went
wrong, `timeline` lists everything that happened to one e-mail.
"""
