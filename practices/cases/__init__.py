"""Case studies: their facts and texts, their life, and who may see them."""
