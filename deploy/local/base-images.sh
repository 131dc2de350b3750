#!/usr/bin/env bash
set -Eeuo pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PYENV_VERSIONS=${PYENV_ROOT:-$HOME/.pyenv}/versions
LABEL=io.howsfit.stand-in
DEBIAN=debian:bookworm-slim

usage() {
  cat <<HELP
Usage: deploy/local/base-images.sh [--force] [TAG ...]

Makes local stand-ins for official base images, under their own tags, on a Debian 12 machine that cannot
pull images: Debian from debootstrap, Python from the interpreters of pyenv, Node from this machine,
PostgreSQL from Debian's package. Without TAG it makes those that the repository's Dockerfiles and compose
files name. An image that exists, official or stand-in, is left alone.

  --force   makes stand-ins anew; official images are still left alone

Tags it knows: $DEBIAN, python:3.N-slim-bookworm and python:3.N-slim-bullseye for every 3.N in
$PYENV_VERSIONS (bookworm underneath in both), node:N-bookworm-slim for this machine's Node,
postgres:15-bookworm.
Stand-ins carry the label $LABEL=1, and so does what is built on them:
  docker images --filter label=$LABEL=1
HELP
}

say() { echo "base-images: $*"; }
die() { echo "base-images: $*" >&2; exit 1; }

exists() { docker image inspect "$1" >/dev/null 2>&1; }
is_stand_in() { [ "$(docker image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$1" 2>/dev/null)" = 1 ]; }

# The official images that the repository's Dockerfiles and compose files name, each once.
tags_in_use() {
  {
    find "$ROOT" -name '*Dockerfile' -not -path '*/node_modules/*' -not -path '*/.*/*' -exec \
      grep -hoE '^FROM +(--[a-z]+=[^ ]+ +)?(debian|python|node):[^ $]+( |$)' {} +
    # services/Dockerfile builds on the Python that an engine's image.toml names.
    find "$ROOT/services" -name image.toml -exec sed -nE 's/^PYTHON = "(.*)"/python:\1-slim-bookworm/p' {} +
    grep -hoE '^ +image: +postgres:[^ ]+' "$ROOT"/docker-compose*.yml
  } | awk '{ print $NF }' | sort -u
}

build_image() {
  local tag=$1 context=$2
  docker build --progress=plain --label "$LABEL=1" --tag "$tag" "$context" > "$WORK/build.log" 2>&1 ||
    { tail -n 25 "$WORK/build.log" >&2; die "$tag: the build failed (its last lines are above)"; }
  say "$tag is ready ($(docker image inspect --format '{{.Size}}' "$tag" | awk '{ printf "%d MB", $1 / 1e6 }'))"
}

# --- Debian -----------------------------------------------------------------------------------------

debian_image() {
  [ "$(id -u)" = 0 ] || die "needs root for debootstrap; run it with sudo"
  command -v debootstrap >/dev/null || { say "installing debootstrap"; DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y install debootstrap >/dev/null; }
  local mirror root=$WORK/debian
  # From the machine's own apt configuration, so that no host name stands here.
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
    awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
  [ -n "$mirror" ] || die "found no Debian 12 mirror in this machine's apt sources"
  say "$DEBIAN: debootstrap (a minute)"
  debootstrap --variant=minbase bookworm "$root" "$mirror" > "$WORK/debootstrap.log" 2>&1 ||
    { tail -n 5 "$WORK/debootstrap.log" >&2; die "debootstrap failed (its last lines are above)"; }

  # The same apt sources as here, security updates among them.
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
    grep ' bookworm' > "$root/etc/apt/sources.list"
  # A frozen mirror is past its date; where this machine says so, the image must too.
  apt-config dump | grep -E '^Acquire::Check-(Valid-Until|Date) "(false|0)"' > "$root/etc/apt/apt.conf.d/99mirror" || true
  # As in the official slim image: no documentation, no package caches.
  printf 'path-exclude /usr/share/%s/*\n' doc man locale info > "$root/etc/dpkg/dpkg.cfg.d/slim"
  printf '%s\n' 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };' \
    'Acquire::Languages "none";' > "$root/etc/apt/apt.conf.d/docker-clean"
  rm -rf "$root"/usr/share/{doc,man,locale,info}/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
    "$root"/var/cache/debconf/*-old "$root"/var/log/*.log "$root"/var/log/apt
  rm -f "$root/etc/hostname" "$root/etc/resolv.conf"
  tar -C "$root" -c . | docker import --change 'CMD ["bash"]' --change "LABEL $LABEL=1" - "$DEBIAN" >/dev/null
  rm -rf "$root"
  say "$DEBIAN is ready ($(docker image inspect --format '{{.Size}}' "$DEBIAN" | awk '{ printf "%d MB", $1 / 1e6 }'))"
}

# The Debian packages that hold the shared libraries which the programs under a folder link to.
linked_packages() {
  local folder=$1 library real
  # ldd fails on the scripts among them, which is no matter.
  { find "$folder" -type f \( -name '*.so*' -o -perm -u+x \) -exec ldd {} + 2>/dev/null || true; } |
    awk '$2 == "=>" && $3 ~ /^\/(usr\/)?lib\// { print $3 }' | sort -u |
    while read -r library; do
      real=$(realpath "$library")
      # dpkg knows a library by the path it was packed with, with or without /usr.
      dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}" 2>/dev/null || echo "base-images: no package has $library" >&2
    done | cut -d: -f1 | sort -u
}

strip_programs() {
  command -v strip >/dev/null || return 0
  find "$1" -type f \( -name '*.so*' -o -perm -u+x \) -exec strip --strip-unneeded {} + 2>/dev/null || true
}

# --- Python -----------------------------------------------------------------------------------------

# The installer versions of the official images; pip 18, which Python 3.6 brings, cannot read today's wheels.
python_tools() {
  case $1 in
    3.6 | 3.7) echo pip==21.2.4 setuptools==57.5.0 wheel==0.37.1 ;;
    3.8 | 3.9) echo pip==23.0.1 setuptools==58.1.0 wheel==0.44.0 ;;
    *) echo pip==24.0 setuptools==65.5.1 wheel==0.45.1 ;;
  esac
}

python_image() {
  local tag=$1 version prefix full context library
  version=$(sed -E 's/^python:([0-9]+\.[0-9]+).*/\1/' <<< "$tag")
  prefix=$(find "$PYENV_VERSIONS" -maxdepth 1 -name "$version.*" 2>/dev/null | sort -V | tail -n 1)
  [ -n "$prefix" ] || die "$tag: no Python $version in $PYENV_VERSIONS (pyenv install $version)"
  full=${prefix##*/}
  say "$tag: Python $full from pyenv"
  context=$WORK/python-$version
  mkdir -p "$context/local/bin" "$context/local/lib" "$context/wheels"

  cp -a "$prefix/include" "$context/local/"
  cp -a "$prefix"/lib/libpython* "$prefix/lib/pkgconfig" "$context/local/lib/"
  # Left out: what was installed by hand, tests, Tk (as in the official slim image) and static libraries.
  tar -C "$prefix/lib" -c --exclude='site-packages/*' --exclude='__pycache__' --exclude='test' --exclude='tests' \
    --exclude='*.a' --exclude='python.o' --exclude='_tkinter*' --exclude='tkinter' --exclude='idlelib' \
    --exclude='turtledemo' "python$version" | tar -C "$context/local/lib" -x
  find "$prefix/bin" -maxdepth 1 -name "python$version*" -not -name '*config*' -not -name '*-gdb.py' \
    -exec cp -a {} "$context/local/bin/" \;
  ln -s "python$version" "$context/local/bin/python3"
  ln -s python3 "$context/local/bin/python"
  library=$context/local/lib/python$version
  # What the interpreter knows about its own build must speak of its new home.
  grep -rlIF "$prefix" "$library"/_sysconfigdata* "$library"/config-* "$context/local/lib/pkgconfig" 2>/dev/null |
    xargs -r sed -i "s#$prefix#/usr/local#g"
  # ldd must find the libraries from the original place, hence before strip and on the copies.
  local packages
  packages=$(linked_packages "$context/local" | tr '\n' ' ')
  strip_programs "$context/local"

  # shellcheck disable=SC2046  # a list of words
  "$prefix/bin/python" -m pip download -qq --disable-pip-version-check --no-deps \
    --dest "$context/wheels" $(python_tools "$version")

  cat > "$context/Dockerfile" <<DOCKERFILE
FROM $DEBIAN
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PYTHON_VERSION=$full
RUN apt-get -q=2 update \\
 && DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install \\
      ca-certificates netbase tzdata $packages \\
 && rm -rf /var/lib/apt/lists/*
COPY local/ /usr/local/
RUN --mount=type=bind,source=wheels,target=/wheels ldconfig \\
 && PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=\$(echo /wheels/pip-*.whl) python -m pip install --no-index --no-cache-dir --no-compile \\
      --disable-pip-version-check \$(find /wheels -name '*.whl') \\
 && find /usr/local -name __pycache__ -prune -exec rm -rf {} +
CMD ["python3"]
DOCKERFILE
  build_image "$tag" "$context"
}

# --- Node -------------------------------------------------------------------------------------------

node_image() {
  local tag=$1 major node modules context
  major=$(sed -E 's/^node:([0-9]+).*/\1/' <<< "$tag")
  node=$(command -v node) || die "$tag: this machine has no Node"
  [[ "$(node --version)" == "v$major."* ]] || die "$tag: this machine has Node $(node --version)"
  modules=$(npm root --global)
  say "$tag: Node $(node --version) from $(readlink -f "$node")"
  context=$WORK/node-$major
  mkdir -p "$context/local/bin" "$context/local/lib/node_modules"
  cp "$(readlink -f "$node")" "$context/local/bin/node"
  cp -a "$modules/npm" "$context/local/lib/node_modules/"
  rm -rf "$context"/local/lib/node_modules/npm/{docs,man}
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$context/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$context/local/bin/npx"
  cat > "$context/Dockerfile" <<DOCKERFILE
FROM $DEBIAN
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin NODE_VERSION=$(node --version | tr -d v)
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node \\
 && apt-get -q=2 update \\
 && DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install $(linked_packages "$context/local/bin" | tr '\n' ' ') \\
 && rm -rf /var/lib/apt/lists/*
COPY local/ /usr/local/
CMD ["node"]
DOCKERFILE
  build_image "$tag" "$context"
}

# --- PostgreSQL -------------------------------------------------------------------------------------

postgres_image() {
  local tag=$1 version context
  version=$(sed -E 's/^postgres:([0-9]+).*/\1/' <<< "$tag")
  say "$tag: from Debian's package"
  context=$WORK/postgres-$version
  mkdir -p "$context"
  # What we use of the official image: its user, folders and variables, and access with a password only.
  cat > "$context/docker-entrypoint.sh" <<'ENTRYPOINT'
#!/bin/sh
set -eu
if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  (umask 077 && printf '%s\n' "${POSTGRES_PASSWORD:?must be set}" > /tmp/password)
  initdb --username="$user" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
  [ "$database" = postgres ] || echo "CREATE DATABASE \"$database\"" | postgres --single -j postgres
fi
exec "$@"
ENTRYPOINT
  chmod +x "$context/docker-entrypoint.sh"
  cat > "$context/Dockerfile" <<DOCKERFILE
FROM $DEBIAN
ENV PATH=/usr/lib/postgresql/$version/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
    LANG=C.UTF-8 PG_MAJOR=$version PGDATA=/var/lib/postgresql/data
# The package would make a cluster of its own.
RUN groupadd --system --gid 999 postgres \\
 && useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres \\
 && apt-get -q=2 update \\
 && DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install postgresql-common \\
 && sed -i 's/^#create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \\
 && DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install postgresql-$version \\
 && rm -rf /var/lib/apt/lists/* \\
 && install -d -o postgres -g postgres -m 3777 /run/postgresql \\
 && install -d -o postgres -g postgres -m 1777 "\$PGDATA"
COPY docker-entrypoint.sh /usr/local/bin/
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
DOCKERFILE
  build_image "$tag" "$context"
}

# ----------------------------------------------------------------------------------------------------

make_image() {
  local tag=$1
  if exists "$tag"; then
    if ! is_stand_in "$tag"; then say "$tag is here, and official"; return; fi
    if [ -z "$FORCE" ] || [[ " ${MADE[*]-} " == *" $tag "* ]]; then say "$tag is here"; return; fi
  fi
  [ "$tag" = "$DEBIAN" ] || exists "$DEBIAN" || make_image "$DEBIAN"
  case $tag in
    "$DEBIAN") debian_image ;;
    python:3.*-slim-bookworm | python:3.*-slim-bullseye) python_image "$tag" ;;
    node:*-bookworm-slim) node_image "$tag" ;;
    postgres:15-bookworm) postgres_image "$tag" ;;
    *) die "$tag: knows no stand-in for it (see --help)" ;;
  esac
  MADE+=("$tag")
}

FORCE='' TAGS=() MADE=()
for argument in "$@"; do
  case $argument in
    -h | --help) usage; exit ;;
    --force) FORCE=1 ;;
    -*) usage >&2; exit 2 ;;
    *) TAGS+=("$argument") ;;
  esac
done
[ "${#TAGS[@]}" -gt 0 ] || mapfile -t TAGS < <(tags_in_use)
[ "${#TAGS[@]}" -gt 0 ] || die "no Dockerfile here names a base image"
docker info >/dev/null 2>&1 || die "no Docker engine answers; deploy/local/start-engine.sh starts one"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'echo "base-images: line $LINENO failed: $BASH_COMMAND" >&2' ERR
for tag in "${TAGS[@]}"; do make_image "$tag"; done
