"""The two looks of the app."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="lumina-dark",
    primary="#5fa8d3",
    secondary="#c7a45c",
    accent="#e0b154",
    success="#7fb069",
    warning="#e6aa68",
    error="#d96c6c",
    foreground="#e4e6e8",
    background="#15181c",
    surface="#1b1f24",
    panel="#252b32",
    dark=True,
)
LIGHT = Theme(
    name="lumina-light",
    primary="#20638f",
    secondary="#7d5f1a",
    accent="#8a5a00",
    success="#3d6b2b",
    warning="#8f4f10",
    error="#a32f2f",
    foreground="#1c2024",
    background="#f7f6f2",
    surface="#efede7",
    panel="#e2dfd6",
    dark=False,
)
