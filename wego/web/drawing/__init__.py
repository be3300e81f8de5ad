"""What the server draws: marks of cities, icons, and maps, as SVG that carries no style of its own."""
