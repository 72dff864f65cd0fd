"""What IAM decides: whether policies allow a request, which statement decided, and how a denial is worded. Pure.

`operations.py` says what a call needs. `policy.py` reads policies, `request.py` has what they judge, `evaluate.py`
decides, and `denial.py` words a refusal. `usage.py` sets what roles may do beside what they did, which
`recording.py` keeps. `web_identity.py` has who may begin a session by a token of an identity provider.
Everything is a frozen value, so a decision is a function of what it was asked.

[Guide] in this package is https://docs.aws.amazon.com/IAM/latest/UserGuide/.
"""
