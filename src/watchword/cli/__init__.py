"""The command line: a front door that parses words and shows answers."""
