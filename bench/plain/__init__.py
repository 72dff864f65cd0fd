"""The two services as one would write them in an afternoon. The benchmark compares the product with these."""
