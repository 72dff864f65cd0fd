"""Clients of the API: careful publishing, e-mails from files, a steady stream, and the record of what was accepted."""
