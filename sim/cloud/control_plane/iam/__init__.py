"""Permissions: every call of a role's session is judged by the role's policies, and what happened is counted."""
