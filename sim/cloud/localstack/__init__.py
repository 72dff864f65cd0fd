"""LocalStack as a child process, in an environment of its own, because it needs other versions than the kit does."""

from pathlib import Path

serve_script = Path(__file__).with_name("serve.py")
"""What LocalStack's own Python is given to run."""
