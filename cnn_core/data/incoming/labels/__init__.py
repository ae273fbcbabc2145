"""Which class and split each file belongs to, by its folders or by a table."""
