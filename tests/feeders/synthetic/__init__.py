"""Grids along the streets."""
