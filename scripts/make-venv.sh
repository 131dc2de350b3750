#!/bin/sh
# Make a virtual environment from a locked requirements file: scripts/make-venv.sh 3.11 .venv requirements/run.txt
# Finds the interpreter on the PATH or among pyenv's; PYTHON=/path/to/python chooses another.
set -e
version=$1 folder=$2 requirements=$3

if grep -q ^mediapipe= "$requirements" && [ "$(uname -s)" = Linux ] && [ "$(uname -m)" != x86_64 ]; then
    echo "MediaPipe, on which the default engines stand, has no package for Linux on $(uname -m): README.md says under" \
        "\"ARM64\" what runs here." >&2
    exit 4
fi

works() { "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; }

for candidate in "${PYTHON:-python$version}" "$HOME/.pyenv/versions/$version".*/bin/python python3 python; do
    if works "$candidate"; then
        interpreter=$candidate
        break
    fi
done
if [ -z "$interpreter" ]; then
    echo "Python $version was not found. Install it (pyenv install $version, or your system's python$version and" >&2
    echo "python$version-venv packages), or say where it is: make PYTHON=/path/to/python$version" >&2
    exit 3
fi
echo "$folder: Python $version, $requirements"
rm -rf "$folder"
"$interpreter" -m venv "$folder"
# The pip that Python 3.6 brings is too old to see today's wheels.
[ "$version" = 3.6 ] && "$folder/bin/pip" install --quiet --disable-pip-version-check pip==21.3.1
"$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$requirements"
