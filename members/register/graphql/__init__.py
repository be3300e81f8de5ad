"""Cities and their membership, as the world may see and change them."""
