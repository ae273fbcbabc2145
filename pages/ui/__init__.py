"""What pages are made of: a kit (frame, address, forms, charts), and above it a room for each screen."""
