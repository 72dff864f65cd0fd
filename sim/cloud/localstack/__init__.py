"""LocalStack as a child process, in its own virtual environment, since it needs other package versions than the kit."""

from pathlib import Path

serve_script = Path(__file__).with_name("serve.py")
"""The script that the Python of that virtual environment runs."""
