"""What must not lie open: sealing of what is stored, and which variables of a bot are sensitive."""
