#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Prepares Debian 12's stock kernel for boot.sh, in a cache outside the source tree, and prints the directory
# of the prepared image on stdout. Nothing is installed and root is not needed. A complete image is used again
# without the network; several callers at once wait for one.
#
# usage: fetch.sh              prepare the image, or find it in the cache
#        fetch.sh --update     ask apt for a newer kernel, even when an image is there
#        fetch.sh --packages   print the Debian packages that fetch.sh and boot.sh need on the host
#
# TCPTOP_VM_CACHE names the cache, by default ${XDG_CACHE_HOME:-$HOME/.cache}/tcptop-vm. An image holds
#	vmlinux         the kernel, unpacked (emulated, the kernel's own decompressor takes 6 s)
#	initramfs.cpio  busybox and the modules that are needed before the host's files are there
#	release         the kernel's release, as uname -r prints it
#	modules/        a layer for the guest's root: modules and the kernel's configuration
#	headers/        a layer for the guest's root: Debian's headers, as their packages lay them out
#	lock            held shared while a machine runs on the image
set -euo pipefail

packages=(qemu-system-x86 busybox-static xz-utils)
boot_modules=(virtio_pci virtio_console 9p 9pnet_virtio overlay)
# Hardware that the emulated machine doesn't have: most of the size of the modules.
unused_drivers=(ata comedi gpu hid hwmon iio infiniband input isdn media net/ethernet net/wireless net/usb
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
	# The package "busybox" has the same path, but is linked to libraries that the initramfs lacks.
	{ ldd "$(command -v busybox)" 2>&1 || true; } | grep -q 'not a dynamic' || missing+=(busybox-static)
	command -v xz >/dev/null || missing+=(xz-utils)
	if ((${#missing[@]})); then
		die "the emulated kernel needs packages that are missing: apt-get install ${missing[*]}"
	fi
}

# What the meta package of the stock kernel depends on now: linux-image-6.1.0-NN-amd64.
image_package() {
	local package

	package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-6\.1\.[^ ]*\)$/\1/p')
	[[ -n $package ]] || die "apt knows no linux-image-amd64 with a 6.1 kernel: run apt-get update," \
		"with Debian 12 in its sources"
	echo "${package%%$'\n'*}"
}

debs_download() { # directory, release
	local release=$2 base=${2%-amd64}
	local names=("linux-image-$release" "linux-headers-$release" "linux-headers-$base-common" linux-kbuild-6.1)

	[[ -e $1/complete ]] && return
	say "downloading ${names[*]}"
	rm -rf "$1.new"
	mkdir -p "$1.new"
	# Run by root, apt warns that its own user cannot write here, and downloads all the same.
	(cd "$1.new" && apt-get -q download "${names[@]}") >"$1.log" 2>&1 ||
		die "downloading failed, is the list of packages up to date (apt-get update)?" \
			"$(grep -m 1 '^E:' "$1.log")"
	touch "$1.new/complete"
	rm -rf "$1"
	mv "$1.new" "$1"
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

modules_unpack() { # image, package file, release
	local driver exclude=(--exclude=./usr/share --exclude='./boot/System.map*')

	for driver in "${unused_drivers[@]}"; do
		exclude+=(--exclude="./lib/modules/*/kernel/drivers/$driver")
	done
	layer_unpack "$1/modules" "$2" "${exclude[@]}" --exclude='./lib/modules/*/kernel/sound'
	# busybox looks for the running kernel's release when it isn't given one.
	busybox depmod -b "$1/modules/usr" "$3"
	[[ -s $1/modules/usr/lib/modules/$3/modules.dep ]] || die "no modules.dep was made for $3"
}

number_read() { # file, offset, size in bytes
	od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# The offsets are those of the boot protocol, Documentation/x86/boot.rst: setup_sects, payload_offset,
# payload_length (2.08). The payload ends with four bytes of size that do not belong to the compressed stream.
vmlinux_unpack() { # bzImage, vmlinux
	local sectors offset length

	sectors=$(number_read "$1" $((0x1f1)) 1)
	offset=$(number_read "$1" $((0x248)) 4)
	length=$(number_read "$1" $((0x24c)) 4)
	dd if="$1" iflag=skip_bytes,count_bytes bs=1M skip=$(((sectors + 1) * 512 + offset)) count=$((length - 4)) \
		status=none | xz -dc >"$2" || die "cannot unpack $1 (not compressed with xz?)"
}

# Prints the modules named and all that they depend on, each after what it needs. modules.dep lists for a
# module all of its dependencies, those that are to be loaded first last.
modules_order() { # directory of modules, names
	local dir=$1 name line

	shift
	for name in "$@"; do
		line=$(grep -E "(^|/)$name\.ko:" "$dir/modules.dep") || die "the kernel has no module $name"
		echo "$line" | tr -d : | tr ' ' '\n' | tac
	done | awk 'NF && !seen[$0]++'
}

initramfs_build() { # image, release
	local dir=$1/modules/usr/lib/modules/$2 root=$1/initramfs path

	mkdir -p "$root"/{bin,dev,proc,modules}
	cp "$(command -v busybox)" "$root/bin/busybox"
	modules_order "$dir" "${boot_modules[@]}" >"$1/order"
	while read -r path; do
		cp "$dir/$path" "$root/modules/"
		echo "${path##*/}"
	done <"$1/order" >"$root/modules/order"
	(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$1/initramfs.cpio"
	rm -rf "$root" "$1/order"
}

image_build() { # image, directory of packages, release
	local new=$1.new deb

	say "unpacking $3 into $1"
	rm -rf "$new"
	mkdir -p "$new"
	modules_unpack "$new" "$2"/linux-image-*.deb "$3"
	vmlinux_unpack "$new/modules/boot/vmlinuz-$3" "$new/vmlinux"
	rm "$new/modules/boot/vmlinuz-$3"
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

case ${1-} in
--packages)
	echo "${packages[*]}"
	exit ;;
--update | '') ;;
*) die "usage: fetch.sh [--update | --packages]" ;;
esac

host_check
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

release=
[[ ${1-} == --update || ! -e $cache/release ]] || release=$(<"$cache/release")
if [[ -z $release ]]; then
	release=$(image_package)
	release=${release#linux-image-}
fi
# What this script puts into an image, and which busybox, is part of its name, so a change makes a new one.
version=$(sha256sum "${BASH_SOURCE[0]}" "$(command -v busybox)" | cut -c 1-64 | sha256sum | cut -c 1-12)
image=$cache/image-$release-$version
if [[ ! -e $image ]]; then
	debs_download "$cache/debs-$release" "$release"
	image_build "$image" "$cache/debs-$release" "$release"
	cache_prune "$image"
fi
echo "$release" >"$cache/release"
echo "$image"
