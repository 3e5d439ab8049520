#!/usr/bin/env bash
# Makes .tools/bpy-VERSION, an environment with Blender as a Python module from PyPI, for `make test-blender`.
# PyPI's modules up to 5.0 are built for Python 3.11; PYTHON311 names one, else uv or the PATH finds it.
#
#     tools/get_bpy.sh            both versions that the tests run in
#     tools/get_bpy.sh 4.2.23     one
set -euo pipefail
cd "$(dirname "$0")/.."

versions=("$@")
((${#versions[@]})) || versions=(4.2.23 5.0.1)
libraries=(libegl1 libgl1 libice6 libsm6 libxfixes3 libxi6 libxkbcommon0 libxrender1 libxxf86vm1)

if command -v dpkg-query >/dev/null && [ "$(id -u)" = 0 ]; then
  absent=()
  for library in "${libraries[@]}"; do
    dpkg-query -W -f '${Status}' "$library" 2>/dev/null | grep -q ' installed' || absent+=("$library")
  done
  if ((${#absent[@]})); then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${absent[@]}" >/dev/null
  fi
fi

for version in "${versions[@]}"; do
  home=".tools/bpy-$version"
  [ -e "$home/.made" ] && continue
  rm -rf "$home"
  if [ -z "${PYTHON311:-}" ] && command -v uv >/dev/null; then
    uv venv --quiet --python 3.11 "$home"
    uv pip install --quiet --python "$home/bin/python" "bpy==$version"
  else
    "${PYTHON311:-python3.11}" -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check "bpy==$version"
  fi
  "$home/bin/python" -c 'import bpy; print("Blender", bpy.app.version_string, "as a module")'
  touch "$home/.made"
done
