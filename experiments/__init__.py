"""One file per question: its docstring asks, its table and figures answer."""

__all__: list[str] = []
