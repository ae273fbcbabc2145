"""What pages share: the address bar, forms, the live view, figures, pictures and layout."""
