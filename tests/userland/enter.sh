#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command in another root directory as if this machine had been booted with it: its "/" is a mount of its own,
# /proc, /sys and /dev are the host's with all that is mounted there; network, cgroups and PIDs are the host's, too. All
# of that is mounted in a mount namespace of the command's, which ends with the last process in it: nothing stays behind
# on the host, however this ends. The environment is a fresh one. Needs root.
#
# usage: enter.sh [--bind DIRECTORY TARGET]... ROOT COMMAND [ARGUMENT]...
#
# --bind mounts a directory of the host on TARGET, a path in ROOT.
set -euo pipefail

# What a login has; apt reads the proxies.
environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root
	LOGNAME=root SHELL=/bin/bash)
for name in http_proxy https_proxy no_proxy; do
	[[ -z ${!name-} ]] || environment+=("$name=${!name}")
done

if [[ -z ${TCPTOP_USERLAND_INSIDE-} ]]; then
	TCPTOP_USERLAND_INSIDE=yes exec unshare --mount --propagation private -- "${BASH_SOURCE[0]}" "$@"
fi
binds=()
while [[ $1 == --bind ]]; do
	binds+=("$2" "$3")
	shift 3
done
root=$1
shift

mount --bind "$root" "$root"
for directory in proc sys dev; do
	mount --rbind "/$directory" "$root/$directory"
done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
for ((i = 0; i < ${#binds[@]}; i += 2)); do
	mount --bind "${binds[i]}" "$root${binds[i + 1]}"
done
# Not by chroot alone: in one the kernel refuses user namespaces, and "/" would be no mount.
cd "$root"
pivot_root . mnt
cd /
hash -r
umount --lazy /mnt
exec env -i "${environment[@]}" "$@"
