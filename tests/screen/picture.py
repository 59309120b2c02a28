#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""README's picture: the real screen on a made-up recording, its cells written as SVG.

    picture.py TCPTOP OUT.svg

Needs tmux. The same binary gives the same picture.
"""

import os
import re
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tmux import Terminal  # noqa: E402

WIDTH, HEIGHT = 112, 28
INTERVALS = 40
MORE = 30  # recorded beyond the picture, so that it is not the end
CELL_X, CELL_Y, MARGIN = 8, 17, 10
PALETTE = ["#1c1f26", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0",
           "#5c6370", "#ff7a85", "#b5e890", "#ffd580", "#7aa2ff", "#e394ff", "#7fdbe8", "#ffffff"]
FOREGROUND, BACKGROUND, DIM = PALETTE[7], PALETTE[0], "#7d828c"
EIGHTHS = {block: i + 1 for i, block in enumerate("▁▂▃▄▅▆▇█")}


class Style:
    """What a cell looks like; taken along by the terminal's SGR sequences."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.bold = self.dim = self.reverse = self.underline = False
        self.foreground = self.background = None

    def apply(self, parameters):
        codes = [int(code or 0) for code in parameters.split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}[code], True)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.foreground = PALETTE[code - 30 if code < 90 else code - 82]
            elif 40 <= code <= 47:
                self.background = PALETTE[code - 40]
            elif code == 39:
                self.foreground = None
            elif code == 49:
                self.background = None
            elif code == 38 and codes[:1] == [5]:
                self.foreground = PALETTE[codes[1] % 16]
                del codes[:2]

    def look(self):
        foreground = self.foreground or (DIM if self.dim else FOREGROUND)
        background = self.background or BACKGROUND
        return (background, foreground, self.bold) if self.reverse else (foreground, background, self.bold)


def cells_of(text):
    """Lines of (character, look)."""
    style = Style()
    for line in text.split("\n")[:HEIGHT]:
        cells = []
        for part in re.split("(\x1b\\[[0-9;]*m)", line):
            if part.startswith("\x1b"):
                style.apply(part[2:-1])
            else:
                cells.extend((character, style.look()) for character in part)
        yield cells + [(" ", (FOREGROUND, BACKGROUND, False))] * (WIDTH - len(cells))


def runs_of(cells):
    start = 0
    for x in range(1, len(cells) + 1):
        if x == len(cells) or cells[x][1] != cells[start][1]:
            yield start, "".join(character for character, _ in cells[start:x]), cells[start][1]
            start = x


def write_svg(text, stream):
    width, height = WIDTH * CELL_X + 2 * MARGIN, HEIGHT * CELL_Y + 2 * MARGIN
    stream.write('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
                 'font-family="ui-monospace,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="13">\n'
                 % (width, height, width, height))
    stream.write('<title>tcptop\'s screen</title>\n<rect width="100%%" height="100%%" rx="8" fill="%s"/>\n' % BACKGROUND)
    for y, cells in enumerate(cells_of(text)):
        top = MARGIN + y * CELL_Y
        for x, run, (foreground, background, bold) in runs_of(cells):
            left = MARGIN + x * CELL_X
            if background != BACKGROUND:
                stream.write('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>\n'
                             % (left, top, len(run) * CELL_X, CELL_Y, background))
            # Blocks as rectangles: fonts draw them with gaps.
            for i, character in enumerate(run):
                if character in EIGHTHS:
                    tall = CELL_Y * EIGHTHS[character] / 8
                    stream.write('<rect x="%d" y="%.1f" width="%d" height="%.1f" fill="%s"/>\n'
                                 % (left + i * CELL_X, top + CELL_Y - tall, CELL_X, tall, foreground))
            for match in re.finditer("[^ ▁▂▃▄▅▆▇█]+", run):
                stream.write('<text x="%d" y="%d" textLength="%d" fill="%s"%s>%s</text>\n'
                             % (left + match.start() * CELL_X, top + 13, len(match.group()) * CELL_X, foreground,
                                ' font-weight="bold"' if bold else "", escape(match.group())))
    stream.write("</svg>\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="tcptop_picture_") as folder:
        path = os.path.join(folder, "demo.json")
        maker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "make_recording.py")
        with open(path, "wb") as stream:
            subprocess.run([maker, "demo", str(INTERVALS + MORE)], stdout=stream, check=True)
        terminal = Terminal(WIDTH, HEIGHT)
        try:
            terminal.run(os.path.abspath(sys.argv[1]), "--replay", path)
            last = "10:42:%02d" % (17 + INTERVALS - 1)
            terminal.wait_for(last, seconds=INTERVALS + 10)
            terminal.keys("Down", "Down")
            text = terminal.styled()
        finally:
            terminal.close()
    with open(sys.argv[2], "w", encoding="utf-8") as stream:
        write_svg(text, stream)


main()
