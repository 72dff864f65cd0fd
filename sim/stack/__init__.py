"""A pipeline that keeps running after the command that started it has ended."""
