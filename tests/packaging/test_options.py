#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every option that the help lists is in the man page and in the completions, and shells complete it.

Environment: TCPTOP, the program, and BUILD, the directory with its completions and its man page."""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

TCPTOP = os.environ["TCPTOP"]
NAME = os.path.basename(TCPTOP)
BUILD = os.environ["BUILD"]
# What is typed, and the command's arguments then ("=" is a space).
TYPED = (
    ("--prob\tkp\t", "--probe kprobe"),
    ("-o js\t", "-o json"),
    ("--columns pid,conn\t,retr\t", "--columns pid,connections,retrans"),
    ("--sort contai\t", "--sort container"),
    ("-p 1,{pid}\t", "-p 1,{pid}"),
    ("--repl\t{directory}/a\t", "--replay {directory}/a file.jsonl"),
    ("--no-f\t", "--no-final"),
)


def completion(name):
    with open(os.path.join(BUILD, "completions", name), encoding="utf-8") as stream:
        return stream.read()


def check(condition, text):
    if not condition:
        sys.exit(f"not ok: {text}")


def documented():
    """Lists of the help's options: [(letter or None, long name, its value)]; the column ids."""
    text = subprocess.run([TCPTOP, "--help"], capture_output=True, text=True, check=True).stdout
    options = re.findall(r"^  (?:-(\S), |    )--([a-z0-9-]+)(?: (\S+))?(?:$|  )", text, re.M)
    check(len(options) > 20 and len(options) == len(re.findall(r"^  [- ].{3}--", text, re.M)), f"the help: {options}")
    columns = re.search(r"^ +--columns LIST .*?, of\n(.*?)\n +--", text, re.M | re.S)[1]
    return options, re.findall(r"\w+", columns)


def check_texts(options, columns):
    with open(os.path.join(BUILD, "man", f"{NAME}.8"), encoding="utf-8") as stream:
        man = re.sub(r"\\f[A-Z]", "", stream.read()).replace("\\-", "-")
    synopsis, rest = man.split(".SH DESCRIPTION")
    section = rest.split(".SH OPTIONS")[1].split("\n.SH ")[0]
    items = re.findall(r"^\.T[PQ]\n\.B[RI]* (.*)$", section, re.M)
    items = [re.sub(r'[" ,]+', " ", item) for item in items]
    texts = {name: completion(name) for name in (NAME, f"_{NAME}", f"{NAME}.fish")}
    for letter, name, value in options:
        short = f"-{letter}" if letter else f"--{name}"
        check(re.search(rf"^\.(OP|RB.*) .*{short}\b", synopsis, re.M), f"the man page's synopsis lacks {short}")
        item = [x for x in items if f"--{name}" in x.split()]
        check(len(item) == 1, f"the man page has {len(item)} items of --{name}")
        check(not letter or short in item[0].split(), f"the man page's --{name} lacks {short}")
        for word in re.findall(r"\w+", value):
            check(word in re.findall(r"\w+", item[0]), f"the man page's --{name} lacks {word}: {item[0]}")
        for file, text in texts.items():
            found = rf"-l {name}(?!\S)" if file.endswith(".fish") else rf"--{name}(?![a-z0-9-])"
            check(re.search(found, text), f"{file} lacks --{name}")
            for choice in value.split("|") if re.fullmatch(r"[a-z|]+", value) else ():
                check(re.search(rf"\b{choice}\b", text), f"{file} lacks {choice} of --{name}")
    names = [y for x in items for y in re.findall(r"--([a-z0-9-]+)", x)]
    check(sorted(names) == sorted(x[1] for x in options), f"the man page has other options: {names}")
    for column in columns:
        check(re.search(rf"^\.BR? .*\b{column}\b", section, re.M), f"the man page lacks the column {column}")


class Shell:
    """An interactive shell in a terminal, in which the command tells its arguments."""

    def __init__(self, arguments, setup):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", HOME="/nonexistent", PS1="> ", HISTFILE="")
            os.execvp(arguments[0], arguments)
        self.output = ""
        self.type(setup + "\n" + NAME + '() { printf "<%s>\\n" "$*"; }\necho rea""dy\n')
        self.expect(r"\bready\r")

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern):
        """What the pattern finds in what came; it is gone then."""
        end = time.monotonic() + 20 * float(os.environ.get("TCPTOP_SLOWNESS", "1"))
        while not (found := re.search(pattern, self.output)):
            check(time.monotonic() < end, f"no {pattern} came, but {self.output!r}")
            if select.select([self.fd], [], [], 0.1)[0]:
                self.output += os.read(self.fd, 65536).decode(errors="replace")
        self.output = self.output[found.end() :]
        return found[1] if found.groups() else found[0]

    def arguments(self, typed):
        """Of the command, when this was typed: the shell has to be done with a key before the next one comes."""
        for part in re.split("(?<=\t)", f"{NAME} {typed}"):
            self.type(part)
            self.settle()
        self.type("\n")
        return self.expect(r"<(.*)>\r")

    def settle(self):
        quiet = 0.3 * float(os.environ.get("TCPTOP_SLOWNESS", "1"))
        while select.select([self.fd], [], [], quiet)[0]:
            self.output += os.read(self.fd, 65536).decode(errors="replace")

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


def check_typed(arguments, setup, directory):
    shell = Shell(arguments, setup)
    place = {"pid": os.getpid(), "directory": directory}
    for typed, expected in TYPED:
        found = shell.arguments(typed.format(**place)).replace("=", " ").strip()
        check(found == expected.format(**place), f"{arguments[0]}: {typed!r}: {found!r}, expected {expected.format(**place)!r}")
    shell.close()


def check_fish(directory):
    for typed, expected in (("--prob", "--probe"), ("-o js", "json"), ("--columns pid,conn", "pid,connections"), ("--replay a", "a file.jsonl")):
        script = f"source {os.path.join(BUILD, 'completions', NAME + '.fish')}; complete -C '{NAME} {typed}'"
        output = subprocess.run(
            ["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True, cwd=directory, env={**os.environ, "HOME": directory}
        ).stdout
        check(expected in [x.split("\t")[0] for x in output.splitlines()], f"fish: {typed!r}: {output!r}")


def main():
    check_texts(*documented())
    directory_of = os.path.join(BUILD, "completions")
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "a file.jsonl"), "w", encoding="utf-8"):
            pass
        check_typed(["bash", "--norc", "--noprofile", "-i"], f"source {directory_of}/{NAME}", directory)
        for shell, function in (
            ("zsh", lambda: check_typed(["zsh", "-f", "-i"], f"fpath+=({directory_of}); autoload -U compinit; compinit -u -D", directory)),
            ("fish", lambda: check_fish(directory)),
        ):
            if shutil.which(shell):
                function()
            else:
                print(f"skip {shell}: it is not installed")


main()
