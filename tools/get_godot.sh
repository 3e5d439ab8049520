#!/usr/bin/env bash
# Install Godot 4 from Debian's packages into .tools/godot, apart from the system.
#
# Debian stable's own Godot may be 3.x, so the package and the libraries it needs come from a newer
# release, unpacked into a folder of their own and started with their own loader. Nothing is
# installed on the machine, and no root is needed.
#
#     tools/get_godot.sh          install; .tools/godot/godot is the program
#     GODOT_SUITE=sid tools/get_godot.sh
set -euo pipefail
cd "$(dirname "$0")/.."

suite="${GODOT_SUITE:-forky}"
folder="$PWD/.tools/godot"
[[ -x "$folder/godot" ]] && exit 0
for tool in apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || { echo "$tool is missing: install Godot 4.3 or newer and set GODOT=/path/to/it" >&2; exit 3; }
done

work="$folder/apt"
rm -rf "$folder"
mkdir -p "$work"/{lists/partial,cache/archives/partial,etc} "$folder/system"
: >"$work/status"

# The mirror that this machine's apt uses already.
mirror="$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
	grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1 | tr -d ' ' || true)"
mirror="${mirror:-http://deb.debian.org/debian}"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/etc/sources.list"

apt=(apt-get -qq
	-o "Dir::State=$work" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache"
	-o "Dir::Etc::sourcelist=$work/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
	-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
	-o APT::Install-Recommends=false -o Debug::NoLocking=true -o APT::Sandbox::User=
	-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false)
"${apt[@]}" update
# fontconfig and a font: without them the editor has no text beyond its own.
"${apt[@]}" --download-only --yes install godot fonts-dejavu-core \
	libgl1 libegl1 libgl1-mesa-dri libx11-6 libxcursor1 libxinerama1 libxrandr2 libxi6 libxext6 libxrender1 libxkbcommon0 libfontconfig1
for package in "$work"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$folder/system"; done
rm -rf "$work"

cat >"$folder/godot" <<'RUN'
#!/bin/sh
system="$(dirname "$(readlink -f "$0")")/system"
libraries=
for loader in "$system"/usr/lib64/ld-linux-*.so.* "$system"/lib64/ld-linux-*.so.* "$system"/usr/lib/ld-linux-*.so.*; do
	[ -e "$loader" ] && break
done
for triplet in "$system"/usr/lib/*-linux-gnu; do libraries="$libraries$triplet:$triplet/pulseaudio:"; done
export LIBGL_DRIVERS_PATH="$triplet/dri"
export __EGL_VENDOR_LIBRARY_DIRS="$system/usr/share/glvnd/egl_vendor.d"
exec "$loader" --library-path "$libraries" "$system/usr/bin/godot" "$@"
RUN
chmod +x "$folder/godot"
"$folder/godot" --headless --version
