"""How an orchard looks."""

import numpy as np
from PIL import Image, ImageDraw

SQUARE = 140
GRASS = ((176, 206, 138), (168, 199, 130))
SOIL, TRUNK, LEAVES, FRUIT = (150, 108, 74), (104, 70, 44), (56, 120, 60), (204, 44, 40)
BUSH, BERRY, AGENT = (46, 104, 62), (70, 52, 160), (245, 190, 40)


def draw_orchard(size, middle, squares, plots, agent):
    """(H, W, 3) uint8: the grid, the bush, what each plot is, and where the agent stands."""
    image = Image.new("RGB", (size * SQUARE, size * SQUARE))
    draw = ImageDraw.Draw(image)
    for row in range(size):
        for column in range(size):
            x, y = column * SQUARE, row * SQUARE
            draw.rectangle((x, y, x + SQUARE, y + SQUARE), GRASS[(row + column) % 2])
    _bush(draw, *_corner(middle))
    for square, plot in zip(squares, plots, strict=True):
        _plot(draw, *_corner(square), plot)
    _agent(draw, *_corner(agent))
    return np.asarray(image)


def _corner(square):
    row, column = square
    return column * SQUARE, row * SQUARE


def _dot(draw, x, y, radius, colour):
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)


def _bush(draw, x, y):
    for dx, dy in ((45, 62), (95, 62), (70, 45), (70, 82)):
        _dot(draw, x + dx, y + dy, 32, BUSH)
    for dx, dy in ((42, 52), (68, 36), (98, 56), (58, 78), (86, 82), (72, 58)):
        _dot(draw, x + dx, y + dy, 6, BERRY)


def _plot(draw, x, y, plot):
    bare, planted, fruit, _ = range(4)
    draw.rounded_rectangle((x + 14, y + 14, x + 126, y + 126), 16, SOIL)
    if plot == bare:
        return
    if plot == planted:
        draw.line((x + 70, y + 96, x + 70, y + 66), LEAVES, 6)
        draw.ellipse((x + 46, y + 50, x + 70, y + 68), LEAVES)
        draw.ellipse((x + 70, y + 44, x + 94, y + 62), LEAVES)
        return
    draw.rectangle((x + 62, y + 74, x + 78, y + 116), TRUNK)
    _dot(draw, x + 70, y + 56, 40, LEAVES)
    if plot == fruit:
        for dx, dy in ((52, 48), (84, 44), (70, 70)):
            _dot(draw, x + dx, y + dy, 10, FRUIT)


def _agent(draw, x, y):
    _dot(draw, x + 112, y + 108, 22, (60, 48, 20))
    _dot(draw, x + 112, y + 108, 19, AGENT)
    for dx in (105, 119):
        _dot(draw, x + dx, y + 104, 3, (40, 30, 10))
    draw.arc((x + 103, y + 104, x + 121, y + 119), 20, 160, (40, 30, 10), 2)
