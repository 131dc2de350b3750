#!/bin/sh
# Remove the cluster with all that it keeps: tells what would go, and asks. YES=1 answers for whoever is not there to ask.
set -e
cd "$(dirname "$0")/.."
compose() { docker compose -f docker-compose.yml -f docker-compose.shared.yml --profile '*' "$@"; }

project=$(compose config | sed -n 's/^name: *//p' | tr -d '"')
# Also those of a file or profile of yours that is not named above.
volumes=$(docker volume ls --filter "label=com.docker.compose.project=$project" \
    --format '{{.Name}} {{.Label "com.docker.compose.volume"}}')
if [ -z "$volumes" ]; then
    echo "The cluster '$project' keeps nothing here."
else
    sizes=$(docker system df -v --format '{{range .Volumes}}{{println .Name .Size}}{{end}}')
    echo "This goes with the cluster '$project', for good:"
    echo "$volumes" | while read -r name kind; do
        case $kind in
            data) what="uploads and results; without PostgreSQL also the list of try-ons and the API keys" ;;
            weights) what="weights of research engines, which took their time to fetch" ;;
            postgres) what="PostgreSQL: the list of try-ons, the API keys" ;;
            seaweedfs) what="SeaweedFS: uploads and results" ;;
            *) what="$kind" ;;
        esac
        size=$(echo "$sizes" | awk -v name="$name" '$1 == name { print $2 }')
        printf '  %-24s %8s  %s\n' "$name" "${size:-?}" "$what"
    done
fi
echo "Images stay, and so does a folder that HOWSFIT_WEIGHTS names."
if [ -z "$YES" ]; then
    if [ ! -t 0 ]; then
        echo "Nothing was removed: there is nobody to ask. 'make purge YES=1' removes it." >&2
        exit 1
    fi
    printf 'Remove it? [y/N] '
    read -r answer
    case $answer in
        y | Y | yes) ;;
        *) echo "Nothing was removed."; exit 1 ;;
    esac
fi
compose down --volumes --remove-orphans
# What `down` does not know: volumes of an earlier version, or of other files.
for name in $(echo "$volumes" | cut -d ' ' -f 1); do
    docker volume inspect "$name" >/dev/null 2>&1 && docker volume rm "$name"
done
echo "Removed."
