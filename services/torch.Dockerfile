# The image of an engine on Torch. docker-compose.engines.yml gives the arguments, from the engine's folder:
#   docker compose -f docker-compose.engines.yml build tryon-hr_viton
# The build context is the repository's root. What the arguments are is said where they are declared.
# TORCH: 1.10, whose Python is 3.9; 2.13, which is much faster on a processor; 2.13-cuda, with CUDA 13, for NVIDIA's cards since
# Turing. Torch 2.13 for processors is not on PyPI, so that a folder has to hold its wheel: HOWSFIT_TORCH_WHEELS, which becomes
# the build context `wheels`.
ARG TORCH=2.13-cuda

# Each names what the engine's folder locks for it; requirements.txt is for the Torch that the engine has by default.
FROM python:3.9-slim-bookworm AS torch-1.10
ENV BASE=python:3.9-slim-bookworm REQUIREMENTS=requirements.txt

FROM python:3.11-slim-bookworm AS torch-2.13
ENV BASE=python:3.11-slim-bookworm REQUIREMENTS=requirements-cpu.txt

FROM python:3.11-slim-bookworm AS torch-2.13-cuda
ENV BASE=python:3.11-slim-bookworm REQUIREMENTS=requirements-cuda.txt

FROM scratch AS wheels

FROM torch-${TORCH} AS packages
# Names of the stage and of the engine: those of their folders.
ARG STAGE
ARG ENGINE
COPY services/$STAGE/engines/$ENGINE/requirements*.txt ./
ARG TORCH
RUN [ -e $REQUIREMENTS ] || mv requirements.txt $REQUIREMENTS \
 && grep -q "^torch==${TORCH%-cuda}\." $REQUIREMENTS \
 || { echo "$ENGINE is not made for Torch $TORCH: set HOWSFIT_TORCH to another, or leave it empty (docs/$ENGINE.md)." >&2; exit 1; }
# ca_bundle: the certificates to trust where a proxy re-signs TLS (the compose files pass them); elsewhere empty or absent.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca_bundle \
    --mount=type=bind,from=wheels,target=/wheels \
    if [ -s /run/secrets/ca_bundle ]; then export PIP_CERT=/run/secrets/ca_bundle; fi \
 && python -m venv --without-pip /venv \
 && pip --disable-pip-version-check --python /venv/bin/python install --no-deps --require-hashes --find-links /wheels \
      -r $REQUIREMENTS

FROM torch-${TORCH}
# The official image has no bytecode of the standard library: every start and every health check would compile it anew.
RUN python -m compileall -q /usr/local/lib/python3.*
COPY --from=packages /venv /venv
# /tmp is the one place to write when the root is read-only.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /app
COPY stagekit/ stagekit/
COPY services/__init__.py services/
ARG STAGE
ARG ENGINE
COPY services/$STAGE/*.py services/$STAGE/
COPY services/$STAGE/engines/__init__.py services/$STAGE/engines/
COPY services/$STAGE/engines/$ENGINE/ services/$STAGE/engines/$ENGINE/
RUN python -m compileall -q .
# The variable that chooses the stage's engine: HOWSFIT_TRYON_ENGINE.
ARG SETTING
ENV STAGE=$STAGE $SETTING=$ENGINE HOWSFIT_WEIGHTS_DIR=/weights
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s CMD ["python", "-m", "stagekit.healthcheck"]
CMD ["sh", "-c", "exec python -m stagekit.serve services.$STAGE.app:app"]

# Of the labels: what the engine does, and under which licence its weights may be used.
ARG DESCRIPTION
ARG WEIGHTS_LICENCE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Howsfit $STAGE: $ENGINE" \
      org.opencontainers.image.description="$DESCRIPTION" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.base.name="$BASE" \
      io.howsfit.contract="1" \
      io.howsfit.stage="$STAGE" \
      io.howsfit.engine="$ENGINE" \
      io.howsfit.weights.licenses="$WEIGHTS_LICENCE"
