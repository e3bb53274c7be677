"""Proof that the books were not touched: the hash chain, its checkpoints, and who checks them."""
