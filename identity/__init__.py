"""Who someone is: users, passwords, tokens, sessions and roles."""
