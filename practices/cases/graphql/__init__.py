"""Case studies, as the world may see and change them."""
