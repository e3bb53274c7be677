"""What one domain needs of another, joined here so that neither knows the other."""
