"""A model's graph in 8-bit integers: made from its weights, measured against them."""
