# SPDX-License-Identifier: Apache-2.0
# filters.py - has libseccomp compile the filters of SandboxTest into a directory; Debian's python3-seccomp brings it.

import errno
import sys
from os.path import join

from seccomp import ALLOW, EQ, ERRNO, GE, KILL_PROCESS, LOG, TRAP, Arg, SyscallFilter

FILTERS = {
    "errno": (ALLOW, [(ERRNO(errno.EXDEV), "getppid"), (ERRNO(errno.EDQUOT), "getuid")]),
    "kill": (ALLOW, [(KILL_PROCESS, "getppid")]),
    "trap": (ALLOW, [(TRAP, "getppid")]),
    "log": (ALLOW, [(LOG, "getppid")]),
    "argument": (ALLOW, [(ERRNO(errno.ENOTBLK), "kill", Arg(1, EQ, 0)),
                         (ERRNO(errno.EXDEV), "dup2", Arg(0, GE, 1 << 20))]),
    "no-exec": (ALLOW, [(ERRNO(errno.EXDEV), "execve")]),
    "no-exec-killed": (ALLOW, [(KILL_PROCESS, "execve")]),
    "no-capset": (ALLOW, [(ERRNO(errno.EXDEV), "capset")]),
    # Nothing else: what a launcher and a probe without libc need for "exit".
    "allow-list": (ERRNO(errno.ENOTTY), [(ALLOW, "execve"), (ALLOW, "exit_group"), (ALLOW, "getppid")]),
    "allow-list-killing": (KILL_PROCESS, [(ALLOW, "execve"), (ALLOW, "faccessat"), (ALLOW, "exit_group")]),
}

for name, (default, rules) in FILTERS.items():
    compiled = SyscallFilter(default)
    for rule in rules:
        compiled.add_rule(*rule)
    with open(join(sys.argv[1], name + ".bpf"), "wb") as file:
        compiled.export_bpf(file)
