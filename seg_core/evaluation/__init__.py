"""How good an answer is: references, figures, and the evaluation of a model."""
