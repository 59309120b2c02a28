# SPDX-License-Identifier: Apache-2.0
"""The programs that are tested: the environment names them."""
import atexit
import functools
import os
import shutil
import stat
import sys
import tempfile


def program(variable):
    path = os.environ.get(variable)
    if not path:
        sys.exit(f"{variable} is not set: the path of the program")
    return os.path.abspath(path)


@functools.lru_cache(maxsize=None)
def program_for_all(variable):
    """The same for those who give root up: a copy where it is below a folder that only root may enter, as its home is."""
    path = program(variable)
    folders = [path]
    while folders[-1] != "/":
        folders.append(os.path.dirname(folders[-1]))
    if all(os.stat(folder).st_mode & stat.S_IXOTH for folder in folders):
        return path
    folder = tempfile.mkdtemp(prefix="tcptop-test-")
    atexit.register(shutil.rmtree, folder)
    os.chmod(folder, 0o755)
    return shutil.copy(path, folder)
