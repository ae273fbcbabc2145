"""Charts in the theme's colours, and what they are drawn from."""
