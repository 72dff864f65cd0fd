"""The same two services in the plainest way: what one would write in an afternoon. The yardstick."""
