#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# packaging/debian: built under another name than tcptop, checked by lintian, installed beside libbpf-tools, which has
# /usr/sbin/tcptop, in a root directory of its own; and run, at last by autopkgtest in a copy of this system.
set -euo pipefail

# shellcheck source=tests/packaging/lib.sh
. "$(dirname -- "$0")/lib.sh"

for tool in dpkg-buildpackage dh lintian; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
name=tcptop-bcc tree=$work/tcptop root=$work/root
source_copy "$tree"
cp -a "$tree/packaging/debian" "$tree/debian"
cd "$tree"
dpkg-checkbuilddeps 2>"$work/log" || skip "$(tail -n 1 "$work/log")"
export DEB_BUILD_OPTIONS=noautodbgsym DEBFULLNAME='A Packager' DEBEMAIL=packager@tcptop.net
# As dch would put it there.
printf 'tcptop (0.1.0-1local1) unstable; urgency=medium\n\n  * Built here.\n\n -- %s <%s>  %s\n\n' "$DEBFULLNAME" "$DEBEMAIL" \
	"$(date -R)" | cat - packaging/debian/changelog >debian/changelog
TCPTOP_INSTALL_NAME=$name run dpkg-buildpackage -b -us -uc -j"$(nproc)"
deb=$(echo "$work"/tcptop_*.deb)

lintian --allow-root --pedantic --suppress-tags initial-upload-closes-no-bugs "$deb" >"$work/lintian" 2>&1 || fail "lintian: $(cat "$work/lintian")"
[[ ! -s $work/lintian ]] || fail "lintian: $(cat "$work/lintian")"

[[ $(dpkg-deb -f "$deb" Maintainer) == "$DEBFULLNAME <$DEBEMAIL>" ]] || fail "maintainer: $(dpkg-deb -f "$deb" Maintainer)"

# The very release of libbcc, whatever Debian adds to its number.
version=$(sed -n 's/^.define LIBBCC_VERSION "\(.*\)"$/\1/p' /usr/include/bcc/bcc_version.h)
dpkg-deb -f "$deb" Depends | grep -qF "libbpfcc (>= $version), libbpfcc (<< $version.0~)" ||
	fail "depends on: $(dpkg-deb -f "$deb" Depends)"
installed=$(dpkg-query -W -f '${Version}' libbpfcc)
{ dpkg --compare-versions "$installed" ge "$version" && dpkg --compare-versions "$installed" lt "$version.0~"; } ||
	fail "$installed, for which it was built, is not what it depends on"

# Only under its usual name it conflicts.
[[ -z $(dpkg-deb -f "$deb" Conflicts) ]] || fail "conflicts with $(dpkg-deb -f "$deb" Conflicts)"
run debian/rules override_dh_gencontrol
grep -qxF 'Conflicts: libbpf-tools' debian/tcptop/DEBIAN/control || fail "as tcptop it does not conflict with libbpf-tools"

dpkg-deb -x "$deb" "$root"
program=$root/usr/sbin/$name
[[ $("$program" --version) == "tcptop "* ]] || fail "--version: $("$program" --version)"
"$program" --ebpf --probe tracepoint >"$work/text"
grep -q '^int \|BPF_' "$work/text" || fail "--ebpf printed: $(head "$work/text")"
for file in libexec/$name/tcptop-check share/man/man8/$name.8.gz share/bash-completion/completions/$name \
	share/zsh/vendor-completions/_$name share/fish/vendor_completions.d/$name.fish \
	share/doc/tcptop/examples/systemd/tcptop-textfile.service; do
	[[ -e $root/usr/$file ]] || fail "the package lacks /usr/$file"
done

# debian/tests in an overlay of this system's root, so that apt installs the package as ever and this system has nothing of it.
# "check" is left to others: the live tests have the self-test. Without sources nothing is fetched: what it depends on is here.
in_overlay() { # command
	local target=/mnt/root

	mount -t tmpfs tmpfs /mnt
	mkdir /mnt/upper /mnt/work "$target"
	mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work "$target"
	for directory in proc sys dev; do
		mount --rbind "/$directory" "$target/$directory"
	done
	rm -rf "$target"/etc/apt/sources.list "$target"/etc/apt/sources.list.d/*
	mkdir -p "$target/root/package"
	cp -a "$deb" "$tree" "$target/root/package"
	chroot "$target" autopkgtest --skip-test=check "/root/package/${deb##*/}" /root/package/tcptop -- null
}

if ((EUID != 0)) || ! command -v autopkgtest >/dev/null; then
	echo "skip autopkgtest: needs root, and the package autopkgtest"
else
	export -f in_overlay
	export deb tree
	run unshare --mount --propagation private bash -euo pipefail -c in_overlay
	grep -q '^installed  *PASS' "$work/log" || fail "autopkgtest: $(tail -n 60 "$work/log")"
fi

cd "$work"
((EUID == 0)) || skip "dpkg installs for root alone"
apt-get -q download libbpf-tools >"$work/log" 2>&1 || skip "libbpf-tools cannot be fetched: $(tail -n 1 "$work/log")"
rm -rf "$root"
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
touch "$root/var/lib/dpkg/status"
# Without the packages that both depend on.
run dpkg --root="$root" --log="$work/dpkg.log" --force-depends -i "$work"/libbpf-tools_*.deb "$deb"
[[ -x $root/usr/sbin/tcptop && -x $program ]] || fail "not both are installed: $(ls "$root/usr/sbin")"
