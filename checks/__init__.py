"""What `make check` asks that no tool answers by itself."""
