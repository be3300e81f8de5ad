"""Case studies: what a city did, told so that another can judge whether it would work at home."""
