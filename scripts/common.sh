# SPDX-License-Identifier: Apache-2.0
# What demo, check and the scripts share: places, a quiet way to run a step
# whose output matters only when it fails, and the right node.  Source it.

PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/x402
LOGS=$PROJECT/.demo/logs
ORIGINAL_PATH=$PATH
NODE_CACHE=$CACHE/node22
mkdir -p "$LOGS" "$CACHE"

say() {
    printf '==> %s\n' "$*" >&2
}

die() {
    printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# quietly NAME HINT COMMAND...: output goes to a log; a failure shows its end
# and says what to do.
quietly() {
    local name=$1 hint=$2 log=$LOGS/$1.log
    shift 2
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 25 "$log" >&2
        die "$name failed. $hint The whole output is in $log"
    fi
}

# With its own process group, so that a signal to us can end all of it: bash
# runs a trap only after the command in the foreground, or while it waits.
STEP=
in_group() {
    setsid "$@" &
    STEP=$!
    local code=0
    wait "$STEP" || code=$?
    STEP=
    return "$code"
}

end_step() {
    [ -z "$STEP" ] || kill -TERM -- "-$STEP" 2>/dev/null || true
    exit 143
}

good_node() {
    command -v "$1" >/dev/null && "$1" -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major >= 22 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

cached_node() {
    local cpu
    case $(uname -m) in
        x86_64) cpu=x64 ;;
        aarch64) cpu=arm64 ;;
        *) die "there is no node 22 package for $(uname -m); install node 20.19 or newer yourself" ;;
    esac
    echo "$NODE_CACHE/node_modules/node-linux-$cpu/bin"
}

# Puts a node of 20.19 or newer first in PATH.
use_node() {
    good_node node && return
    PATH=$(cached_node):$PATH
    good_node node || die "no node of 20.19 or newer; run scripts/setup demo"
    export PATH
}

# nginx lives in sbin, which is not in everybody's PATH.
case :$PATH: in
    *:/usr/sbin:*) ;;
    *) export PATH=$PATH:/usr/sbin:/sbin ;;
esac
