"""LV grids along the streets, for those who know streets, houses and stations, but no cables."""

__all__: list[str] = []
