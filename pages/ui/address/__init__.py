"""The address bar as the memory of a page: single choices, and the whole recipe."""
