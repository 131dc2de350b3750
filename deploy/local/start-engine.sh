#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: deploy/local/start-engine.sh [--help]

Makes a Docker engine with Compose v2 and buildx available on a Debian machine that has none, such as a
bare sandbox or a CI runner. Does nothing where `docker info`, `docker compose` and `docker buildx` work.

What is missing is installed from Debian. Debian 12 lacks Compose v2 and its engine is too old for
`start_interval`, so there the packages come from the next release, Debian 13. No apt source is added.
The engine then runs in the background until it is stopped by hand:
  kill "$(cat /var/run/docker.pid)"

Environment:
  HOWSFIT_DOCKER_LOG   where the engine logs (default /var/log/howsfit-dockerd.log)
  HOWSFIT_DOCKER_WAIT  seconds to wait for it to answer (default 60)
HELP
}

LOG=${HOWSFIT_DOCKER_LOG:-/var/log/howsfit-dockerd.log}
WAIT=${HOWSFIT_DOCKER_WAIT:-60}
DATA_ROOT=/var/lib/docker
NEXT_RELEASE=trixie

say() { echo "start-engine: $*"; }
die() { echo "start-engine: $*" >&2; exit 1; }

engine_answers() { docker info >/dev/null 2>&1; }
has_compose() { docker compose version >/dev/null 2>&1; }
has_buildx() { docker buildx version >/dev/null 2>&1; }

# Engine API 1.44 (engine 25) is the first that knows a health check's start_interval.
engine_is_recent() {
  local api
  api=$(docker version --format '{{.Server.APIVersion}}' 2>/dev/null) || return 1
  [ "$(printf '%s\n' 1.44 "$api" | sort -V | head -n 1)" = 1.44 ]
}

# --- packages ---------------------------------------------------------------------------------------

# The mirror is taken from the machine's own apt configuration, so that no host name stands here.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
    awk -v release="$1" '$2 == release && $3 == "main" { print $1; exit }'
}

install_packages() {
  local release mirror work debs apt
  [ "$(id -u)" = 0 ] || die "needs root to install Docker; run it with sudo, or install Docker yourself"
  command -v apt-get >/dev/null || die "installs Docker on Debian only; install Docker with Compose v2 yourself"
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  mirror=$(debian_mirror "$release")
  [ -n "$mirror" ] || die "found no Debian mirror for '$release' in this machine's apt sources"
  [ "$release" = bookworm ] && release=$NEXT_RELEASE

  local wanted=("$@")
  say "installing from Debian $release: ${wanted[*]}"
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # the path is known now
  trap "rm -rf '$work'" EXIT
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" > "$work/sources.list"
  # A private apt folder: the machine's own sources and lists stay as they are.
  apt=(apt-get -q=2 -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=-
       -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
  "${apt[@]}" update
  (cd "$work/debs" && "${apt[@]}" download "${wanted[@]}" >/dev/null)
  debs=("$work"/debs/*.deb)

  # What these packages need in turn (iptables, runc, tini) comes from the machine's own release.
  [ -n "$(apt-cache madison iptables 2>/dev/null)" ] || apt-get -q=2 update
  # policy-rc.d keeps the package from starting an engine with options that may not work here.
  local policy=/usr/sbin/policy-rc.d made_policy=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    made_policy=1
  fi
  if ! DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install "${debs[@]}" \
       > "$work/apt.log" 2>&1; then
    [ -z "$made_policy" ] || rm -f "$policy"
    tail -n 20 "$work/apt.log" >&2
    die "apt-get could not install them (its last lines are above)"
  fi
  [ -z "$made_policy" ] || rm -f "$policy"
}

missing_packages() {
  local list=()
  command -v docker >/dev/null || list+=(docker-cli)
  command -v dockerd >/dev/null || list+=(docker.io containerd)
  has_compose || list+=(docker-compose)
  has_buildx || list+=(docker-buildx)
  [ "${#list[@]}" = 0 ] || printf '%s\n' "${list[@]}"
}

# --- what the kernel offers -------------------------------------------------------------------------

mount_cgroups() {
  [ -e /sys/fs/cgroup/cgroup.controllers ] && return
  mountpoint -q /sys/fs/cgroup/memory && return
  [ -d /sys/fs/cgroup ] || die "this kernel has no control groups, and Docker cannot run without them"
  if mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null && [ -s /sys/fs/cgroup/cgroup.controllers ]; then
    say "mounted control groups (v2)"
    return
  fi
  umount /sys/fs/cgroup 2>/dev/null || true
  mount -t tmpfs cgroup /sys/fs/cgroup || die "could not mount /sys/fs/cgroup"
  local name enabled
  while read -r name _ _ enabled; do
    [ "$enabled" = 1 ] || continue
    mkdir -p "/sys/fs/cgroup/$name"
    mount -t cgroup -o "$name" cgroup "/sys/fs/cgroup/$name" 2>/dev/null || rmdir "/sys/fs/cgroup/$name"
  done < <(grep -v '^#' /proc/cgroups)
  say "mounted control groups (v1)"
}

# overlay2 where an overlay can really be mounted on the data root's file system, else vfs: slow, works anywhere.
storage_driver() {
  local probe driver=vfs
  mkdir -p "$DATA_ROOT"
  probe=$(mktemp -d "$DATA_ROOT/probe.XXXXXX")
  mkdir "$probe/lower" "$probe/upper" "$probe/work" "$probe/merged"
  if mount -t overlay overlay -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" \
       "$probe/merged" 2>/dev/null; then
    umount "$probe/merged"
    driver=overlay2
  fi
  rm -rf "$probe"
  echo "$driver"
}

# Prints true where Docker can write NAT rules. Some kernels have only one of the two iptables backends.
working_iptables() {
  local backend
  if iptables -t nat -nL >/dev/null 2>&1; then echo true; return; fi
  for backend in iptables-legacy iptables-nft; do
    if "$backend" -t nat -nL >/dev/null 2>&1; then
      update-alternatives --set iptables "/usr/sbin/$backend" >/dev/null
      echo true
      return
    fi
  done
  echo false
}

# Packets larger than the uplink's MTU are dropped without a word behind some tunnels, so bridges follow it.
uplink_mtu() {
  local device
  device=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
  cat "/sys/class/net/$device/mtu" 2>/dev/null || echo 1500
}

# --- the engine -------------------------------------------------------------------------------------

# A machine that was switched off hard leaves these behind, and dockerd then refuses to start if some other
# process has got the number since.
drop_stale_pid_files() {
  local file program
  for file in /var/run/docker.pid:dockerd /var/run/docker/containerd/containerd.pid:containerd; do
    program=${file##*:}
    file=${file%:*}
    [ -f "$file" ] || continue
    [ "$(cat "/proc/$(cat "$file")/comm" 2>/dev/null)" = "$program" ] || rm -f "$file"
  done
}

start_engine() {
  [ "$(id -u)" = 0 ] || die "needs root to start Docker; run it with sudo"
  if [ -d /run/systemd/system ]; then
    say "starting docker.service"
    systemctl start docker
  else
    local driver nat mtu
    drop_stale_pid_files
    mount_cgroups
    driver=$(storage_driver)
    nat=$(working_iptables)
    mtu=$(uplink_mtu)
    say "starting dockerd (storage $driver, iptables $nat, mtu $mtu), log in $LOG"
    [ "$nat" = true ] || say "warning: no NAT here; containers reach each other, but nothing outside"
    # setsid: the engine must outlive the terminal that started it.
    setsid dockerd --data-root "$DATA_ROOT" --storage-driver "$driver" --iptables="$nat" --ip-masq="$nat" \
      --mtu "$mtu" --default-network-opt "bridge=com.docker.network.driver.mtu=$mtu" \
      > "$LOG" 2>&1 < /dev/null &
  fi
  local second=0
  until engine_answers; do
    second=$((second + 1))
    # With systemd there is no child to watch; without it, a child that ended will never answer.
    if [ "$second" -gt "$WAIT" ] || { [ -n "${!:-}" ] && ! kill -0 "$!" 2>/dev/null; }; then
      [ ! -d /run/systemd/system ] || die "the engine did not come up; see: journalctl -u docker"
      tail -n 15 "$LOG" >&2
      die "the engine did not come up (its last lines are above, all of them in $LOG)"
    fi
    sleep 1
  done
}

main() {
  case "${1:-}" in
    -h | --help) usage; exit ;;
    '') ;;
    *) usage >&2; exit 2 ;;
  esac
  if engine_answers && has_compose && has_buildx; then
    say "Docker $(docker version --format '{{.Server.Version}}') is running already"
  else
    local wanted
    mapfile -t wanted < <(missing_packages)
    [ "${#wanted[@]}" = 0 ] || install_packages "${wanted[@]}"
    engine_answers || start_engine
    has_compose || die "'docker compose' does not work: is Compose v2 where the docker client looks for plugins?"
    has_buildx || die "'docker buildx' does not work: is buildx where the docker client looks for plugins?"
    say "Docker $(docker version --format '{{.Server.Version}}') is running," \
        "Compose $(docker compose version --short), storage $(docker info --format '{{.Driver}}')"
  fi
  engine_is_recent || say "warning: this engine is older than 25; Compose will refuse start_interval in docker-compose.yml"
}

main "$@"
