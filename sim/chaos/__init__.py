"""E-mails through a running target while faults act, and the verdict over what became of them."""
