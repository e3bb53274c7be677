"""A running product to look at: ready accounts, a live channel, and viewers who talk and give."""
