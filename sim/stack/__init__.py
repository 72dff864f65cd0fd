"""A pipeline that stays up after the command that started it has ended."""
