"""Looking inside a network: its feature maps, its filters, and drawing them."""
