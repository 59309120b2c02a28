#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Proves that boot.sh's machine is what the tests in it rely on. One line a point, then "N passed, N failed,
# N skipped"; exit status 1 if one failed, 77 if the kernel cannot be fetched.
#
# usage: selftest.sh [KERNEL]    KERNEL as boot.sh takes it, by default 6.1; "guest" is how it calls itself inside
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernel=${1:-6.1}
boot=("$here/boot.sh" --kernel "$kernel")
work=''

# check TEXT COMMAND...: what the command prints is shown only when it fails.
check() {
	local text=$1 output

	shift
	if output=$("$@" 2>&1); then
		echo "ok - $text"
	else
		echo "not ok - $text"
		[[ -z $output ]] || head -n 20 <<<"$output" | sed 's/^/# /'
	fi
}

skip() { # text, reason
	echo "ok - $1 # skipped: $2"
}

equal() { # found, expected
	[[ $1 == "$2" ]] || {
		echo "found '$1', expected '$2'"
		return 1
	}
}

guest_common() { # shared directory
	check "running as root on the kernel asked for" test "$(id -u) $(uname -r)" = "0 $(<"$1/release")"
	check "in the host's current directory" test "$PWD" = "$here" -a -s boot.sh
	check "host name" equal "$(hostname)" tcptop-vm
	check "the clock is the host's to 60 s" test "$((EPOCHSECONDS - $(<"$1/time")))" -lt 60
	check "python3 of the host runs" equal "$(python3 -c 'print(1)')" 1
	check "writing to the root is possible" touch /usr/written-in-guest /etc/written-in-guest
	check "what is written to the share reaches the host" cp /proc/version "$1/version"
	check "/dev/stdout can be opened again" bash -c ': >/dev/stdout'
	check "no signal is ignored" equal "$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status)" 0000000000000000
	check "pseudo terminals" python3 -c 'import pty; pty.openpty()'
	check "only root reads what only root may read" setpriv --reuid 65534 --clear-groups test ! -r /etc/shadow
	for type in proc:/proc sysfs:/sys tracefs:/sys/kernel/tracing debugfs:/sys/kernel/debug bpf_fs:/sys/fs/bpf \
		cgroup2fs:/sys/fs/cgroup tmpfs:/tmp tmpfs:/run tmpfs:/dev/shm devpts:/dev/pts; do
		check "${type#*:} is ${type%:*}" equal "$(stat -f -c %T "${type#*:}")" "${type%:*}"
	done
	for address in 127.0.0.1 127.1.2.3 ::1; do
		check "TCP over $address" python3 -c "
import socket, sys
a = sys.argv[1]
s = socket.create_server((a, 0), family=socket.AF_INET6 if ':' in a else socket.AF_INET)
c = socket.create_connection(s.getsockname()[:2])
c.sendall(b'x'); sys.exit(s.accept()[0].recv(2) != b'x')" "$address"
	done
	check "kprobes: tracefs has kprobe_events" test -e /sys/kernel/tracing/kprobe_events
}

guest_probe() { # method, shared directory
	if [[ -x $2/probe ]]; then
		check "a $1 program attaches and runs" "$2/probe" "$1"
	else
		skip "a $1 program attaches and runs" "$(<"$2/probe.log")"
	fi
}

preempt_current() {
	sed 's/.*(\(.*\)).*/\1/' /sys/kernel/debug/sched/preempt
}

# What the kernel starts with: from 7.0 on lazy, before 6.1 without a choice.
preempt_default() {
	case $(uname -r) in
	5.*) ;;
	6.*) echo voluntary ;;
	*) echo lazy ;;
	esac
}

guest_preempt() { # the model to start with
	if [[ -z $(preempt_default) ]]; then
		check "preemption cannot be chosen" test ! -e /sys/kernel/debug/sched/preempt
		return
	fi
	check "preemption starts as $1" equal "$(preempt_current)" "$1"
	check "preemption switches" eval "preempt_switch $(preempt_default) && preempt_switch full && preempt_switch $1"
}

guest_tls() {
	if [[ $(uname -r) == 5.* ]]; then
		skip "the tls module" "Debian's kernel has none before 6.1"
		return
	fi
	check "the kernel loads the tls module when a socket asks" tls_attach
	check "modprobe tls" modprobe tls
	check "the tls module is there" grep -q '^tls ' /proc/modules
}

preempt_switch() {
	echo "$1" >/sys/kernel/debug/sched/preempt && equal "$(preempt_current)" "$1"
}

tls_attach() {
	python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(s.getsockname())
c.setsockopt(socket.IPPROTO_TCP, 31, b"tls")  # TCP_ULP'
}

guest_headers() { # shared directory
	local modules

	modules=/lib/modules/$(uname -r)
	guest_common "$1"
	check "two processors" equal "$(nproc)" 2
	guest_preempt "$(preempt_default)"
	check "BTF: /sys/kernel/btf/vmlinux is there" test -s /sys/kernel/btf/vmlinux
	check "headers: source has linux/kconfig.h" test -s "$modules/source/include/linux/kconfig.h"
	check "headers: build has generated/autoconf.h" test -s "$modules/build/include/generated/autoconf.h"
	check "headers: build's Makefile finds the common tree" make -s -C "$modules/build" kernelversion
	check "headers: no module is missing beside them" test -s "$modules/modules.dep"
	if command -v gcc >/dev/null; then
		check "headers: net/sock.h compiles" headers_compile "$modules"
	else
		skip "headers: net/sock.h compiles" "no gcc on the host"
	fi
	guest_probe kprobe "$1"
	guest_probe fentry "$1"
	guest_tls
}

# The include paths that the kernel's own Makefile uses on x86, and, from 6.19 on, its members without a name.
headers_compile() { # directory of modules
	local tree includes=()

	for tree in "$1/build" "$1/source"; do
		for dir in arch/x86/include arch/x86/include/generated include arch/x86/include/uapi \
			arch/x86/include/generated/uapi include/uapi include/generated/uapi; do
			includes+=(-I "$tree/$dir")
		done
	done
	echo '#include <net/sock.h>' |
		gcc -std=gnu11 -fms-extensions -fsyntax-only -w -nostdinc -D__KERNEL__ -DCC_USING_FENTRY -DKBUILD_MODNAME='"x"' "${includes[@]}" \
			-include "$1/source/include/linux/kconfig.h" \
			-include "$1/source/include/linux/compiler_types.h" -x c -
}

guest_bare() { # shared directory
	guest_common "$1"
	check "one processor, as asked for" equal "$(nproc)" 1
	guest_preempt full
	check "BTF is hidden" test ! -e /sys/kernel/btf/vmlinux
	check "no headers: build" test ! -e "/lib/modules/$(uname -r)/build"
	check "no headers: source" test ! -e "/lib/modules/$(uname -r)/source"
	check "no headers: /usr/src" eval "! compgen -G '/usr/src/linux-headers-$(uname -r | cut -d. -f 1,2)*'"
	guest_probe kprobe "$1"
	guest_tls
}

# The words must reach the script as they are.
# shellcheck disable=SC2016
script_run() {
	local words=("a'b" '' $'c\n d' '$x"')

	printf '#!/bin/sh\npwd\ncat time >/dev/null && printf "<%%s>" "$@"\n' >"$work/script"
	equal "$(cd "$work" && "${boot[@]}" --script script -- "${words[@]}")" \
		"$(echo "$work" && printf '<%s>' "${words[@]}")"
}

exit_status() { # expected, arguments of boot.sh
	local expected=$1 found=0

	shift
	"${boot[@]}" "$@" || found=$?
	equal "$found" "$expected"
}

guest_run() { # name of the checks, options of boot.sh
	local name=$1 status=0

	shift
	rm -f "$work/version"
	date +%s >"$work/time"
	"${boot[@]}" --timeout 300 --share "$work" "$@" -- "$here/selftest.sh" guest "$name" "$work" || status=$?
	check "boot.sh ends with the command's status ($name)" equal "$status" 0
	check "the guest's file is on the host ($name)" grep -qF "Linux version $(<"$work/release")" "$work/version"
}

start_measure() {
	local start=$EPOCHREALTIME now

	now=$("${boot[@]}" --timeout 60 -- sh -c 'echo started' | { read -r _ && echo "$EPOCHREALTIME"; })
	echo "# $(((${now/./} - ${start/./}) / 1000)) ms from boot.sh to the first output of the command"
}

host_run() {
	if ! command -v gcc >/dev/null || ! gcc -o "$work/probe" "$here/probe.c" -lbpf >"$work/log" 2>&1; then
		echo "no gcc or libbpf-dev on the host: $(head -n 1 "$work/log" 2>/dev/null)" >"$work/probe.log"
	fi
	start_measure
	guest_run headers --headers yes
	guest_run bare --btf no --preempt full --cpus 1
	check "nothing was written to the host" eval '[[ ! -e /usr/written-in-guest && ! -e /etc/written-in-guest ]]'
	check "a script in a current directory below /tmp, arguments as they are" script_run
	check "exit status 3 of the command, with --icount" exit_status 3 --icount -- sh -c 'exit 3'
	check "a panic gives exit status 125" exit_status 125 --timeout 60 -- sh -c 'echo c >/proc/sysrq-trigger'
	check "a hang gives exit status 124" exit_status 124 --timeout 15 -- sleep 1000
	check "an option that is unknown gives exit status 2" exit_status 2 --unknown -- true
}

if [[ ${1-} == guest ]]; then
	"guest_$2" "$3"
	exit
fi

if ! image=$("$here/fetch.sh" --kernel "$kernel"); then
	echo "skipped: the kernel $kernel cannot be fetched, see above"
	exit 77
fi
work=$(mktemp -d)
cp "$image/release" "$work/"
trap 'rm -rf "$work"' EXIT
cd "$here" || exit
host_run | tee "$work/result"
failed=$(grep -c '^not ok' "$work/result")
skipped=$(grep -c '^ok .*# skipped' "$work/result")
passed=$(($(grep -c '^ok' "$work/result") - skipped))
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
