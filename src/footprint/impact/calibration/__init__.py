"""Steps that make the coverage of any model right."""
