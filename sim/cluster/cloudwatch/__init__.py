"""What CloudWatch decides: the state of an alarm (`alarms`), from metrics and from metric math on them.

`metric_syntax` reads an expression, `metric_math` evaluates it, and `metric_functions` has its functions.
"""
