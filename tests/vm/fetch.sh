#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Prepares one of Debian's stock kernels for boot.sh, in a cache outside the source tree, and prints the directory
# of the prepared image on stdout. Nothing is installed and root is not needed. A complete image is used again
# without the network; several callers at once wait for one.
#
# usage: fetch.sh [--kernel NAME]            prepare the image, or find it in the cache
#        fetch.sh [--kernel NAME] --update   ask the mirror for a newer kernel, even when an image is there
#        fetch.sh --kernels                  print the names of the kernels, the oldest first
#        fetch.sh --packages [arm64]         print the Debian packages that fetch.sh and boot.sh need on the host
#
# NAME is a release as users know it, by default 6.1, or "newest": the highest that Debian has. With "-arm64" behind
# it, it is that of arm64, with the programs of Debian 13 for it: the host's do not run there. Kernels come from
# the mirror that the host's apt uses, by a private configuration of apt: the host's own is not touched. Packages
# count only if the host's debian-archive-keyring has the key that their suite is signed with.
#
# TCPTOP_VM_CACHE names the cache, by default ${XDG_CACHE_HOME:-$HOME/.cache}/tcptop-vm. An image holds
#	vmlinux         the kernel, unpacked (emulated, the kernel's own decompressor takes 6 s)
#	initramfs.cpio  busybox and the modules that are needed before the host's files are there
#	release         the kernel's release, as uname -r prints it
#	modules/        a layer for the guest's root: modules, unpacked, and the kernel's configuration
#	headers/        a layer for the guest's root: Debian's headers, as their packages lay them out
#	root/           arm64: the guest's root, also to build programs for it with
#	lock            held shared while a machine runs on the image
set -euo pipefail

here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=tests/lib/packages.sh
. "$here/../lib/packages.sh"

packages=(qemu-system-x86 busybox-static xz-utils zstd debian-archive-keyring)
packages_arm64=(qemu-system-arm gcc-aarch64-linux-gnu)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
kernels=(5.10 6.1 6.12 newest)
declare -A suites=([5.10]=bullseye [6.1]=bookworm [6.12]=trixie [newest]='trixie-backports sid')
# For arm64: what the tests in the machine use, and what tcptop is built with.
userland=(base-files base-passwd busybox-static coreutils dash findutils grep kmod libbpfcc procps python3 sed util-linux
	libbpf-dev libbpfcc-dev libc6-dev libcap-dev libjansson-dev libncurses-dev)
boot_modules=(virtio_pci virtio_console 9p 9pnet_virtio overlay)
# Hardware that the emulated machine doesn't have: most of the size of the modules.
unused_drivers=(accel ata comedi gpu hid hwmon iio infiniband input isdn media net/ethernet net/wireless net/usb
	platform scsi staging usb)

cache=${TCPTOP_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tcptop-vm}

say() {
	echo "fetch.sh: $*" >&2
}

die() {
	say "$*"
	exit 1
}

host_check() {
	local missing=()

	command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
	[[ $arch != arm64 ]] || command -v qemu-system-aarch64 >/dev/null || missing+=(qemu-system-arm)
	# The package "busybox" has the same path, but is linked to libraries that the initramfs lacks.
	{ ldd "$(command -v busybox)" 2>&1 || true; } | grep -q 'not a dynamic' || missing+=(busybox-static)
	command -v xz >/dev/null || missing+=(xz-utils)
	command -v zstd >/dev/null || missing+=(zstd)
	[[ -e $keyring ]] || missing+=(debian-archive-keyring)
	if ((${#missing[@]})); then
		die "the emulated kernel needs packages that are missing: apt-get install ${missing[*]}"
	fi
}

source_print() { # address, suite
	printf '%s\n' "Types: deb" "URIs: $1" "Suites: $2" "Components: main" "Architectures: $arch" \
		"Signed-By: $keyring" ''
}

# A state of apt's own, with the kernel's suites alone. From here on, apt-get and apt-cache use it.
apt_prepare() { # directory
	local address security suite release=${kernel%-arm64} wanted

	wanted=${suites[$release]}
	# Of several suites, the userland is that of Debian 13.
	[[ $arch == amd64 || " $wanted " == *" trixie "* ]] || wanted+=" trixie"
	address=$(packages_mirror Debian)
	security=$(packages_mirror Debian-Security)
	[[ -n $address ]] || die "apt has no package lists of a Debian mirror: its sources name none," \
		"or apt-get update was not run"
	rm -rf "$1"
	mkdir -p "$1"/{lists/partial,cache,empty}
	for suite in $wanted; do
		source_print "$address" "$suite"
		[[ -z $security || $suite == *-backports || $suite == sid ]] || source_print "$security" "$suite-security"
	done >"$1/debian.sources"
	# Backports stand behind everything else, unless they are pinned.
	printf '%s\n' 'Package: /^linux-/' 'Pin: release a=*' 'Pin-Priority: 900' '' 'Package: *' 'Pin: release n=trixie*' \
		'Pin-Priority: 800' >"$1/preferences"
	cat >"$1/apt.conf" <<-END
		Dir::Etc::sourcelist "$1/debian.sources";
		Dir::Etc::sourceparts "$1/empty";
		Dir::Etc::preferences "$1/preferences";
		Dir::Etc::preferencesparts "$1/empty";
		Dir::State::lists "$1/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$1/cache";
		Acquire::Languages "none";
		APT::Architecture "$arch";
		APT::Architectures "$arch";
		APT::Install-Recommends "false";
		APT::Sandbox::User "";
	END
	export APT_CONFIG=$1/apt.conf
	say "reading the package lists of $wanted"
	# Of several suites one may be missing: what counts is that one has the kernel.
	apt-get -q update >"$1.log" 2>&1 || say "$(grep -m 1 '^[EW]:' "$1.log")"
}

# What the meta packages of the stock kernel and its headers lead to, without other software and the kernel that
# Debian has not signed.
kernel_packages() {
	apt-cache depends --recurse --important "linux-image-$arch" "linux-headers-$arch" |
		grep -E '^linux-(base|binary|headers|image|kbuild|modules)-[0-9]' | grep -v -- '-unsigned$' | sort -u
}

# What an empty machine would have to install.
userland_packages() {
	apt-get install -s "${userland[@]}" | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# Leaves the packages in debs-RELEASE of the cache and sets release.
debs_download() {
	local names dir

	apt_prepare "$cache/apt"
	mapfile -t names < <(kernel_packages)
	release=$(printf '%s\n' "${names[@]}" | sed -n 's/^linux-image-//p')
	[[ -n $release ]] || die "no linux-image-$arch there: $(grep -m 1 '^[EW]:' "$cache/apt.log")"
	[[ $kernel == newest* || $release == "${kernel%-arm64}".* ]] || die "it has $release, not $kernel"
	[[ $arch == amd64 ]] || mapfile -t -O "${#names[@]}" names < <(userland_packages)
	dir=$cache/debs-$release
	if [[ ! -e $dir/complete ]]; then
		say "downloading ${names[*]}"
		rm -rf "$dir"
		mkdir -p "$dir"
		(cd "$dir" && apt-get -q download "${names[@]}") >"$dir.log" 2>&1 ||
			die "downloading failed: $(grep -m 1 '^E:' "$dir.log")"
		touch "$dir/complete"
	fi
	rm -rf "$cache/apt"
}

# Debian's root has /lib as a link to usr/lib; a layer with a directory in its place would cover it.
layer_unpack() { # layer, package file, arguments of tar
	local layer=$1 deb=$2

	shift 2
	mkdir -p "$layer"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$layer" --no-same-owner --transform='s,^\./lib/,./usr/lib/,S' "$@"
	[[ ! -e $layer/lib ]] || rmdir "$layer/lib"
}

modules_unpack() { # image, directory of packages, release
	local modules=$1/modules/usr/lib/modules/$3 deb driver exclude=(--exclude=./usr/share)

	for driver in "${unused_drivers[@]/#/drivers/}" sound; do
		exclude+=(--exclude="./lib/modules/*/kernel/$driver" --exclude="./usr/lib/modules/*/kernel/$driver")
	done
	for deb in "$2"/linux-{base,binary,image,modules}-*.deb; do
		[[ ! -e $deb ]] || layer_unpack "$1/modules" "$deb" "${exclude[@]}" --exclude='./boot/System.map*'
	done
	# busybox, which loads the first of them and makes the list, knows only modules that are not compressed.
	find "$modules" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 -P "$(nproc)" xz -d --
	find "$modules" -name '*.ko.zst' -print0 | xargs -0 -r -n 64 -P "$(nproc)" zstd -dq --rm --
	# busybox looks for the running kernel's release when it isn't given one.
	busybox depmod -b "$1/modules/usr" "$3"
	[[ -s $modules/modules.dep ]] || die "no modules.dep was made for $3"
}

number_read() { # file, offset, size in bytes
	od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# Unpacks what the kernel's build may have used, known by its first bytes.
payload_unpack() { # file
	case $(od -An -t x1 -N 4 "$1" | tr -d ' ') in
	fd377a58) xz -dc <"$1" ;;
	28b52ffd) zstd -dc <"$1" ;;
	*) die "the kernel is compressed by neither xz nor zstd" ;;
	esac
}

# The offsets are those of the boot protocol, Documentation/x86/boot.rst: setup_sects, payload_offset,
# payload_length (2.08). The payload ends with four bytes of size that do not belong to the compressed stream.
vmlinux_unpack() { # bzImage, vmlinux
	local sectors offset length

	sectors=$(number_read "$1" $((0x1f1)) 1)
	offset=$(number_read "$1" $((0x248)) 4)
	length=$(number_read "$1" $((0x24c)) 4)
	dd if="$1" iflag=skip_bytes,count_bytes bs=1M skip=$(((sectors + 1) * 512 + offset)) count=$((length - 4)) \
		status=none >"$2.payload"
	payload_unpack "$2.payload" >"$2" || die "cannot unpack $1"
	rm "$2.payload" "$1"
}

# Prints the modules named and all that they depend on, each after what it needs. modules.dep lists for a
# module all of its dependencies, those that are to be loaded first last. Some kernels have them built in.
modules_order() { # directory of modules, names
	local dir=$1 name line

	shift
	for name in "$@"; do
		! grep -q "/$name\.ko$" "$dir/modules.builtin" || continue
		line=$(grep -E "(^|/)$name\.ko:" "$dir/modules.dep") || die "the kernel has no module $name"
		echo "$line" | tr -d : | tr ' ' '\n' | tac
	done | awk 'NF && !seen[$0]++'
}

initramfs_build() { # image, release
	local dir=$1/modules/usr/lib/modules/$2 root=$1/initramfs path busybox=$1/root/usr/bin/busybox

	[[ -e $busybox ]] || busybox=$(command -v busybox)

	mkdir -p "$root"/{bin,dev,proc,modules}
	cp "$busybox" "$root/bin/busybox"
	modules_order "$dir" "${boot_modules[@]}" >"$1/order"
	while read -r path; do
		cp "$dir/$path" "$root/modules/"
		echo "${path##*/}"
	done <"$1/order" >"$root/modules/order"
	(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$1/initramfs.cpio"
	rm -rf "$root" "$1/order"
}

# Packages as they are, without what they do when they are installed: the programs start all the same.
root_unpack() { # image, directory of packages
	local deb

	mkdir -p "$1/root"
	# It has the links /bin and /lib, through which the others go.
	for deb in "$2"/base-files_*.deb "$2"/*.deb; do
		[[ $deb == */linux-[!l]* ]] || dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$1/root" --no-same-owner --keep-directory-symlink --exclude=./usr/share/{doc,locale,man}
	done
	cp "$1/root/usr/share/base-passwd/passwd.master" "$1/root/etc/passwd"
	cp "$1/root/usr/share/base-passwd/group.master" "$1/root/etc/group"
}

image_build() { # image, directory of packages, release
	local new=$1.new deb vmlinuz

	say "unpacking $3 into $1"
	rm -rf "$new"
	mkdir -p "$new"
	modules_unpack "$new" "$2" "$3"
	vmlinuz=$(compgen -G "$new/modules/boot/vmlinuz-*" || echo "$new/modules/usr/lib/modules/$3/vmlinuz")
	if [[ $arch == arm64 ]]; then
		mv "$vmlinuz" "$new/vmlinux"
		root_unpack "$new" "$2"
	else
		vmlinux_unpack "$vmlinuz" "$new/vmlinux"
	fi
	for deb in "$2"/linux-headers-*.deb "$2"/linux-kbuild-*.deb; do
		layer_unpack "$new/headers" "$deb" --exclude=./usr/share
	done
	initramfs_build "$new" "$3"
	echo "$3" >"$new/release"
	touch "$new/lock"
	mv "$new" "$1"
}

# Images of older kernels, or of another version of this script, unless a machine runs on them.
cache_prune() { # image to keep
	local old

	for old in "$cache"/image-*; do
		[[ $old == "$1" ]] && continue
		[[ -e $old/lock ]] && ! flock --nonblock "$old/lock" true && continue
		rm -rf "$old"
	done
	for old in "$cache"/debs-*; do
		[[ $old == "$cache/debs-$release"* ]] || rm -rf "$old"
	done
}

kernel=6.1 update=no
while (($#)); do
	case $1 in
	--packages)
		[[ ${2-} != arm64 ]] || packages+=("${packages_arm64[@]}")
		echo "${packages[*]}"
		exit
		;;
	--kernels) echo "${kernels[*]}" && exit ;;
	--update) update=yes ;;
	--kernel)
		kernel=${2-}
		[[ $kernel != -arm64 && -n $kernel && -n ${suites[${kernel%-arm64}]-} ]] ||
			die "--kernel takes one of ${kernels[*]}, with or without -arm64, not '$kernel'"
		shift
		;;
	*) die "usage: fetch.sh [--kernel NAME] [--update] | --kernels | --packages" ;;
	esac
	shift
done

arch=amd64
[[ $kernel != *-arm64 ]] || arch=arm64
host_check
cache+=/$kernel
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

release=
[[ $update == yes || ! -e $cache/release ]] || release=$(<"$cache/release")
[[ -n $release && -e $cache/debs-$release/complete ]] || debs_download
# What this script puts into an image, and which busybox, is part of its name, so a change makes a new one.
version=$(sha256sum "${BASH_SOURCE[0]}" "$(command -v busybox)" | cut -c 1-64 | sha256sum | cut -c 1-12)
image=$cache/image-$release-$version
if [[ ! -e $image ]]; then
	image_build "$image" "$cache/debs-$release" "$release"
	cache_prune "$image"
fi
echo "$release" >"$cache/release"
echo "$image"
