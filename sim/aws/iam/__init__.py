"""What IAM decides: whether policies allow a request, which statement decided, and how a denial is worded. Pure.

`policy.py` reads policies, `request.py` is what they judge, `evaluate.py` decides, `denial.py` words a refusal.
Everything is a frozen value, so a decision is a function of what it was asked.

[Guide] in this package is https://docs.aws.amazon.com/IAM/latest/UserGuide/.
"""
