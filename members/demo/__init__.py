"""Demonstration data for a freshly installed hub: real cities and WeGO's public history."""
