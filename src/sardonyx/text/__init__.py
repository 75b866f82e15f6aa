"""Python's rules of text as tables: regular expressions as automata, and what Unicode says of each code point."""
