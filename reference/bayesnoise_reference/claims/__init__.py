"""Claims: what is true of a right layer, each with its law, its power and the mistakes that it catches."""
