"""The two looks of the app. Texts have 4.5 to 1 of contrast to what lies behind them, dimmed ones too."""

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
    secondary="#775a17",
    accent="#845600",
    success="#3d6b2b",
    warning="#8f4f10",
    error="#a32f2f",
    foreground="#0b0d0f",
    background="#f7f6f2",
    surface="#efede7",
    panel="#e2dfd6",
    dark=False,
)
