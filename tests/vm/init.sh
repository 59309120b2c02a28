#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
#
# Process 1 of the emulated machine, started by the kernel from the initramfs, and a second time, with "run",
# once the guest's root is complete. boot.sh adds it to the initramfs together with
#	vm/config     cwd, shares, headers, btf, release, userland and console as shell variables
#	vm/command    a shell script that executes the command
# This busybox runs its own applets without a path, whatever the host has installed.

root_mount() {
	mkdir -p /host /image /memory "$root"
	mount -t 9p -o "ro,$p9,cache=loose" root /host
	mount -t 9p -o "ro,$p9,cache=loose" image /image
	mount -t tmpfs -o size=75%,mode=755 memory /memory
	mkdir /memory/upper /memory/work
	mount -t overlay -o "lowerdir=$layers,upperdir=/memory/upper,workdir=/memory/work" root "$root"
}

# What the host has installed for the same kernel must not decide whether the guest has headers.
headers_hide() {
	rm -rf "$root/lib/modules/$release/build" "$root/lib/modules/$release/source" \
		"$root/usr/src/linux-headers-$release" "$root/usr/src/linux-headers-${release%-amd64}-common"
}

# Where the programs are not the host's, its current directory is there all the same.
cwd_mount() {
	mkdir -p "$root$cwd"
	mount --bind "/host$cwd" "$root$cwd"
}

# /tmp and /run are the guest's own, but a current directory below them is the host's, as anywhere else.
temporary_mount() {
	case $cwd in
	/tmp | /tmp/* | /run/*)
		mkdir /cwd
		mount --bind "$root$cwd" /cwd
		;;
	esac
	mount -t tmpfs -o mode=1777 tmp "$root/tmp"
	mount -t tmpfs -o mode=755 run "$root/run"
	if [ -d /cwd ]; then
		mkdir -p "$root$cwd"
		mount --move /cwd "$root$cwd"
	fi
}

shares_mount() {
	local number=0 share

	for share in "$@"; do
		mkdir -p "$root$share"
		mount -t 9p -o "$p9,cache=mmap" "share$number" "$root$share"
		number=$((number + 1))
	done
}

kernel_mount() {
	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys"
	mount -t devtmpfs dev "$root/dev"
	mkdir -p "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
	ln -sf /proc/self/fd "$root/dev/fd"
	ln -sf /proc/self/fd/0 "$root/dev/stdin"
	ln -sf /proc/self/fd/1 "$root/dev/stdout"
	ln -sf /proc/self/fd/2 "$root/dev/stderr"
	mount -t debugfs debugfs "$root/sys/kernel/debug"
	mount -t tracefs tracefs "$root/sys/kernel/tracing"
	mount -t bpf bpf "$root/sys/fs/bpf"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	[ "$btf" = yes ] || mount -t tmpfs -o ro nobtf "$root/sys/kernel/btf"
}

machine_prepare() {
	local root=/newroot layers=/image/modules:$userland p9=trans=virtio,version=9p2000.L,msize=512000,access=any

	/bin/busybox mount -t proc proc /proc
	while read -r module; do
		insmod "/modules/$module"
	done </modules/order
	[ "$headers" = no ] || layers=/image/headers:$layers
	root_mount
	[ "$headers" = yes ] || headers_hide
	# The kernel and libbcc call it; kmod, if the host has it, wants an index that busybox does not make.
	ln -sf /run/vm/busybox "$root/usr/sbin/modprobe"
	[ "$userland" = /host ] || cwd_mount
	temporary_mount
	eval "shares_mount $shares"
	kernel_mount
	cp -r /vm "$root/run/vm"
	cp /bin/busybox /init "$root/run/vm/"
	exec switch_root "$root" /run/vm/busybox sh /run/vm/init run
}

# Every process but this one and those named. Kernel threads take no signal.
processes_kill() {
	local pid

	for pid in /proc/[0-9]*; do
		pid=${pid#/proc/}
		case " 1 $* " in
		*" $pid "*) ;;
		*) kill -9 "$pid" 2>/dev/null ;;
		esac
	done
}

# Pipes in between let the command open /dev/stdout again, which the ports refuse. It runs in the foreground:
# a shell without job control has background commands ignore SIGINT.
command_run() {
	local status out err

	mkfifo /run/vm/out /run/vm/err
	cat /run/vm/out >/dev/vport0p1 &
	out=$!
	cat /run/vm/err >/dev/vport0p2 &
	err=$!
	ulimit -S -n 1024
	ulimit -H -n 524288
	(
		cd "$cwd" || exit 127
		exec env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/sh LANG=C.UTF-8 TERM=dumb TCPTOP_VM=1 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			setsid /bin/sh /run/vm/command
	) >/run/vm/out 2>/run/vm/err </dev/null
	status=$?
	processes_kill "$out" "$err"
	wait "$out" "$err"
	return "$status"
}

shares_unmount() {
	local share

	for share in "$@"; do
		umount "$share" || umount -l "$share"
	done
	sync
}

machine_run() {
	local status uptime

	hostname tcptop-vm
	ip link set lo up
	read -r uptime _ </proc/uptime
	echo "tcptop-vm: command started at $uptime s" >"$console"
	command_run
	status=$?
	cd /
	eval "shares_unmount $shares"
	printf '\ntcptop-vm: exit %s\n' "$status" >"$console"
	reboot -f
}

if [ "${1-}" = run ]; then
	# shellcheck source=/dev/null
	. /run/vm/config
	machine_run
else
	# shellcheck source=/dev/null
	. /vm/config
	machine_prepare
fi
