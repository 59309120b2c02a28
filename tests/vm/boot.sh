#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Boots one of Debian's stock kernels in an emulated machine and runs one command in it, as root, in the current
# directory. See usage below; fetch.sh prepares the kernel.
set -euo pipefail

usage='usage: boot.sh [options] -- COMMAND [ARGUMENT]...
       boot.sh [options] --script FILE [-- ARGUMENT...]

The guest sees the files of the host, as they are; what it writes stays in its memory. It has a /tmp and a
/run of its own (a current directory below them is there all the same), /proc, /sys, tracefs, debugfs, bpffs,
cgroup2, a loopback interface and no other network. The environment is not handed on. Standard input is empty.

  --kernel NAME      5.10, 6.1, 6.12 or newest, see fetch.sh (default: 6.1); with -arm64 behind it for that processor:
                     the guest then sees programs of Debian for it, and of the files of the host the current
                     directory alone, read-only
  --headers yes|no   kernel headers in /lib/modules/RELEASE/{build,source} and /usr/src (default: no)
  --btf yes|no       no: an empty directory covers /sys/kernel/btf (default: yes)
  --preempt MODEL    voluntary, full, none or lazy, as far as the kernel has it (default: voluntary, or what the
                     kernel takes itself: from 7.0 on lazy)
  --cpus N           processors (default: 2; 1 with --icount)
  --memory MB        (default: 2048)
  --timeout SECONDS  for boot and command together (default: 600)
  --share DIR        a directory of the host that the guest can write to, at the same path; may be repeated
  --script FILE      run a copy of FILE: it need not be where the guest can see it
  --append TEXT      more for the command line of the kernel
  --icount           count instructions instead of time, for repeatable costs; one processor. The guest finds
                     tcptop.icount in /proc/cmdline
  --verbose          say on stderr when the command started and what the machine printed

exit status: that of COMMAND; 124 when the time was over; 125 when the machine failed (a panic, say)'

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernel=6.1 headers=no btf=yes preempt='' cpus='' memory=2048 timeout=600
append='' icount=no verbose=no script=''
shares=() command=()
work='' reader_pids=() qemu_pid=''

say() {
	echo "boot.sh: $*" >&2
}

die() { # exit status, text
	say "${@:2}"
	exit "$1"
}

choice_check() { # option, value, allowed values
	[[ " ${*:3} " == *" $2 "* ]] || die 2 "$1 takes one of ${*:3}, not '$2'"
}

number_check() { # option, value
	[[ $2 =~ ^[1-9][0-9]{0,6}$ ]] || die 2 "$1 takes a number from 1, not '$2'"
}

share_add() {
	local dir

	dir=$(realpath -e -- "$1" 2>/dev/null) || dir=/
	[[ -d $dir && -w $dir && $dir != / ]] ||
		die 2 "--share takes a directory that can be written to, not '$1'"
	shares+=("$dir")
}

options_parse() {
	while (($#)); do
		case $1 in
		-h | --help) echo "$usage" && exit 0 ;;
		--icount) icount=yes && shift && continue ;;
		--verbose) verbose=yes && shift && continue ;;
		--) break ;;
		--kernel | --headers | --btf | --preempt | --cpus | --memory | --timeout | --share | --script | --append)
			(($# > 1)) || die 2 "$1 needs a value" ;;
		*) die 2 "unknown option '$1', see boot.sh --help" ;;
		esac
		case $1 in
		--share) share_add "$2" ;;
		*) printf -v "${1#--}" %s "$2" ;;
		esac
		shift 2
	done
	[[ ${1-} != -- ]] || shift
	command=("$@")
}

options_check() {
	choice_check --headers "$headers" yes no
	choice_check --btf "$btf" yes no
	[[ -z $preempt ]] || choice_check --preempt "$preempt" voluntary full none lazy
	[[ $icount == no ]] || { cpus=${cpus:-1} && append+=" tcptop.icount"; }
	cpus=${cpus:-2}
	number_check --cpus "$cpus"
	number_check --memory "$memory"
	number_check --timeout "$timeout"
	[[ $icount == no || $cpus == 1 ]] || die 2 "--icount works with one processor only"
	[[ -z $script || -r $script ]] || die 2 "cannot read the script '$script'"
	[[ -n $script ]] || ((${#command[@]})) || die 2 "no command given, see boot.sh --help"
}

# pauth-impdef: the signing of addresses that takes least time, emulated.
machine_choose() {
	qemu=qemu-system-x86_64 machine=q35 cpu=max console=ttyS0 userland=/host
	[[ $kernel != *-arm64 ]] ||
		qemu=qemu-system-aarch64 machine=virt cpu=max,pauth-impdef=on console=ttyAMA0 userland=/image/root
}

# A text that any POSIX shell reads as the words given.
words_quote() {
	local word out=

	for word in "$@"; do
		out+=" '${word//\'/\'\\\'\'}'"
	done
	printf '%s' "${out# }"
}

initramfs_write() {
	local tree=$work/tree

	mkdir -p "$tree/vm"
	cp "$here/init.sh" "$tree/init"
	chmod 755 "$tree/init"
	{
		echo "cwd=$(words_quote "$PWD") headers=$headers btf=$btf release=$(words_quote "$(<"$image/release")")"
		echo "userland=$userland console=/dev/$console"
		echo "shares=$(words_quote "$(words_quote "${shares[@]}")")"
	} >"$tree/vm/config"
	if [[ -n $script ]]; then
		cp "$script" "$tree/vm/script"
		chmod 755 "$tree/vm/script"
		command=(/run/vm/script "${command[@]}")
	fi
	echo "exec $(words_quote "${command[@]}")" >"$tree/vm/command"
	# The kernel unpacks archives that stand one after the other.
	(cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null) |
		cat "$image/initramfs.cpio" - >"$work/initramfs"
}

# The writing end that stays open here lets a reader end only when it is closed, whether QEMU ever ran or not.
readers_start() {
	mkfifo "$work/out" "$work/err"
	cat "$work/out" 7>&- &
	reader_pids+=($!)
	exec 6>"$work/out"
	cat "$work/err" >&2 6>&- &
	reader_pids+=($!)
	exec 7>"$work/err"
}

# A comma in a path is doubled for QEMU's option parser.
qemu_arguments() {
	local number=0 share line

	line="console=$console quiet panic=-1 oops=panic mitigations=off random.trust_cpu=on nowatchdog apparmor=0"
	line+=" tsc=reliable no_timer_check preempt=${preempt:-voluntary} $append"
	# shellcheck disable=SC2054
	arguments=(-machine "$machine" -cpu "$cpu" -smp "$cpus" -m "$memory" -nodefaults -no-user-config -display none
		-no-reboot -kernel "$image/vmlinux" -initrd "$work/initramfs" -append "$line"
		-chardev "file,id=serial,path=${work//,/,,}/serial" -serial chardev:serial
		-device virtio-serial-pci
		-chardev "file,id=out,path=${work//,/,,}/out" -device virtserialport,chardev=out
		-chardev "file,id=err,path=${work//,/,,}/err" -device virtserialport,chardev=err
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap
		-device virtio-9p-pci,fsdev=root,mount_tag=root
		-fsdev "local,id=image,path=${image//,/,,},security_model=none,readonly=on"
		-device virtio-9p-pci,fsdev=image,mount_tag=image)
	for share in "${shares[@]}"; do
		arguments+=(-fsdev "local,id=share$number,path=${share//,/,,},security_model=none,multidevs=remap"
			-device "virtio-9p-pci,fsdev=share$number,mount_tag=share$number")
		number=$((number + 1))
	done
	if [[ $icount == yes ]]; then
		arguments+=(-accel "tcg,thread=single" -icount "shift=0,sleep=off")
	else
		arguments+=(-accel "tcg,thread=multi")
	fi
}

# QEMU ends with this script, even if that is killed.
qemu_run() {
	local status=0

	setpriv --pdeathsig TERM timeout --foreground --kill-after=5 "$timeout" "$qemu" \
		"${arguments[@]}" </dev/null >"$work/qemu" 2>&1 6>&- 7>&- &
	qemu_pid=$!
	wait "$qemu_pid" || status=$?
	qemu_pid=
	exec 6>&- 7>&-
	wait "${reader_pids[@]}" || true
	reader_pids=()
	return "$status"
}

# What QEMU and the guest's kernel said, on stderr.
logs_show() { # lines
	{ cat "$work/qemu"; tr -d '\r' <"$work/serial" | grep -v '^$'; } 2>/dev/null | tail -n "$1" |
		sed 's/^/boot.sh: | /' >&2 || true
}

failure_cause() { # exit status of QEMU
	grep -a -o -m 1 'Kernel panic.*' "$work/serial" 2>/dev/null | tr -d '\r' ||
		echo "it ended without a result, QEMU with status $1; its last messages stand above"
}

result_exit() { # exit status of QEMU under timeout
	local marker

	[[ $verbose == no ]] || logs_show 1000
	marker=$({ tr -d '\r' <"$work/serial" | sed -n 's/^tcptop-vm: exit \([0-9]*\)$/\1/p'; } 2>/dev/null |
		tail -n 1)
	[[ -z $marker ]] || exit "$marker"
	[[ $verbose == yes ]] || logs_show 30
	case $1 in
	124 | 137) die 124 "the machine was stopped: no result within $timeout s (--timeout)" ;;
	*) die 125 "the machine failed: $(failure_cause "$1")" ;;
	esac
}

# shellcheck disable=SC2317,SC2329
clean_up() {
	local pids=("${reader_pids[@]}")

	trap '' INT TERM HUP
	[[ -z $qemu_pid ]] || pids+=("$qemu_pid")
	((${#pids[@]} == 0)) || { kill "${pids[@]}" 2>/dev/null && wait "${pids[@]}"; } || true
	[[ -z $work ]] || rm -rf "$work"
}

options_parse "$@"
options_check
machine_choose
image=$("$here/fetch.sh" --kernel "$kernel") || exit 125
exec 8<"$image/lock"
flock --shared 8
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d)
initramfs_write
qemu_arguments
readers_start
status=0
qemu_run || status=$?
result_exit "$status"
