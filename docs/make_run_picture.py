#!/usr/bin/env python3
"""Runs a command in a terminal of 88 columns and writes what it leaves on the screen as an SVG.

docs/make_run_picture.py docs/run.svg build/quickstart/bin/dlcc train examples/mnist_mlp.json --out runs/mnist
"""

import fcntl
import html
import os
import pty
import re
import struct
import sys
import termios

COLUMNS, ROWS = 88, 40
FONT, LINE, LEFT, TOP = 14, 20, 16, 44
COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "36": "#76e3ea", "1": "#ffffff", "2": "#8b949e"}


def run(command):
    """All bytes that the command writes to its terminal."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8")
        os.environ.pop("NO_COLOR", None)
        os.execvp(command[0], command)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    output = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    _, status = os.waitpid(pid, 0)
    if status != 0:
        sys.exit(output.decode(errors="replace"))
    return output.decode(errors="replace")


def screen(text):
    """Lines of (character, colour), with carriage returns, erasures and colours carried out."""
    lines, column, color = [[]], 0, ""
    for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]", text):
        if token == "\n":
            lines.append([])
            column = 0
        elif token == "\r":
            column = 0
        elif token.startswith("\x1b"):
            if token.endswith("K"):
                del lines[-1][column:]
            elif token.endswith("m"):
                color = COLORS.get(token[2:-1].split(";")[-1], "")
        else:
            lines[-1][column : column + 1] = [(token, color)]
            column += 1
    while lines and not lines[-1]:
        lines.pop()
    return lines


def spans(line):
    out, last = "", None
    for character, color in line:
        if color != last:
            out += ("</tspan>" if last else "") + (f'<tspan fill="{color}">' if color else "")
            last = color
        out += html.escape(character)
    return out + ("</tspan>" if last else "")


def picture(prompt, lines):
    width, height = int(LEFT * 2 + COLUMNS * FONT * 0.602), TOP + LINE * (len(lines) + 1) + 8
    rows = [f'<tspan fill="#7ee787">$</tspan> {html.escape(prompt)}'] + [spans(line) for line in lines]
    body = "\n".join(f'<text x="{LEFT}" y="{TOP + LINE * i}" xml:space="preserve">{row}</text>' for i, row in enumerate(rows))
    dots = "".join(f'<circle cx="{20 + 20 * i}" cy="16" r="6" fill="{c}"/>' for i, c in enumerate(("#ff5f56", "#ffbd2e", "#27c93f")))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>{html.escape(prompt)}</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
{dots}
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="{FONT}" fill="#c9d1d9">
{body}
</g>
</svg>
"""


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    target, command = sys.argv[1], sys.argv[2:]
    prompt = [os.path.basename(command[0])] + command[1:]
    with open(target, "w", encoding="utf-8") as file:
        file.write(picture(" ".join(prompt), screen(run(command))))


if __name__ == "__main__":
    main()
