# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# Installs the Debian or Ubuntu packages that are missing, and knows the mirror. Sourced by examples/quickstart.sh and
# scripts of the tests. What it does goes to standard error: standard output is the program's.

# What the build needs. libbpfcc is loaded when tcptop runs; libbpfcc-dev, its headers, brings it along.
packages_build=(cmake make gcc libc6-dev pkg-config libbpfcc-dev libbpf-dev libcap-dev libncurses-dev
	libjansson-dev)
# Container engines, and what their tests need besides; those that apt does not have are left out, and their tests skip.
packages_containers=(podman runc conmon docker.io lxc systemd-container logrotate containerd containernetworking-plugins
	python3-grpcio python3-kubernetes python3-yaml)
# kubectl, unless there is one from elsewhere, whose package has the same file.
command -v kubectl >/dev/null || packages_containers+=(kubernetes-client)
# libFuzzer and the sanitizers of clang, where they are no part of clang: without them the fuzz targets are replayed alone.
packages_fuzz=(libclang-rt-dev)
# Node.js for examples/fleet, unless there is one from elsewhere, whose package npm of the same name may conflict with.
packages_node=()
command -v npm >/dev/null || packages_node=(nodejs npm)
# What the tests need beside it; tests/vm/fetch.sh --packages names those of the emulated kernel.
packages_test=(libcmocka-dev tmux python3 iproute2 netbase procps clang clang-format clang-tidy shellcheck
	python3-jsonschema python3-prometheus-client prometheus prometheus-node-exporter
	zsh fish reuse bpftool debhelper lintian autopkgtest)

# Prints those of the packages given that are not installed.
packages_missing() {
	local package installed

	# dpkg-query fails when it does not know one of them.
	# shellcheck disable=SC2016
	installed=$({ dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null || true; } |
		sed -n 's/ install ok installed$//p')
	for package in "$@"; do
		grep -qxF -- "$package" <<<"$installed" || printf '%s\n' "$package"
	done
}

# Prints what apt knows of the host's Debian mirrors: the address of the archive, or of its security updates.
packages_mirror() { # label of the Release files: Debian, Debian-Security
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: $1" 2>/dev/null |
		sed -n 1p
}

packages_fail() {
	echo "${0##*/}: $*" >&2
	return 1
}

# The last lines of apt-get's output, when it failed.
packages_apt_get() { # arguments of apt-get
	local log status=0

	log=$(mktemp)
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1 || status=$?
	((status == 0)) || tail -n 15 "$log" >&2
	rm -f "$log"
	return "$status"
}

# Installs what is missing of the packages given; without any missing it does nothing and needs no root.
packages_install() {
	local missing

	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		packages_fail "apt-get was not found: install these packages by your distribution's means: $*"
		return
	fi
	mapfile -t missing < <(packages_missing "$@")
	((${#missing[@]})) || return 0
	if ((EUID != 0)); then
		packages_fail "packages are missing: ${missing[*]}"
		packages_fail "run it with sudo, or install them: sudo apt-get install --no-install-recommends ${missing[*]}"
		return
	fi
	echo "${0##*/}: installing ${missing[*]}" >&2
	packages_apt_get update || echo "${0##*/}: apt-get update failed; trying with the lists that are here" >&2
	packages_apt_get install --no-install-recommends "${missing[@]}" ||
		packages_fail "installing failed: see apt-get's last lines above"
}

# Installs what apt has of the packages given. Without them tests skip: nothing here is an error.
packages_install_known() {
	local missing package known=()

	mapfile -t missing < <(packages_missing "$@")
	((${#missing[@]})) || return 0
	for package in "${missing[@]}"; do
		[[ -z $(apt-cache madison "$package" 2>/dev/null) ]] || known+=("$package")
	done
	((${#known[@]})) || return 0
	packages_install "${known[@]}" || echo "${0##*/}: tests that need these packages will skip" >&2
}
