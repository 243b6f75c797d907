"""The command line: one module per verb or family of verbs, and the only printing of the project."""
