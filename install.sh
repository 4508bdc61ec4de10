#!/bin/sh
# Installs alight for the user who runs this, from the checkout this file lies in; again to update or repair.
#
# What it makes, and --uninstall removes:
#   DATA/env-N, DATA/env -> env-N     a private environment with alight in it
#   DATA/hooks/alight.{zsh,bash,fish} what the shells read at their start
#   DATA/manifest, DATA/install.sh    what there is to undo, and the means
#   ~/.local/bin/alight               a link
#   one line in the start-up file of each shell that is there
# DATA is ${XDG_DATA_HOME:-~/.local/share}/alight, on macOS ~/Library/Application Support/alight.
set -u

usage() {
    cat <<'TEXT'
usage: ./install.sh [--python PATH] [--no-modify-rc]
       ./install.sh --uninstall

  --python PATH    the Python to use (3.11 or newer, with venv); otherwise one is looked for
  --no-modify-rc   leave the shells' start-up files alone and print the lines instead
  --uninstall      list and remove everything that was installed
  --help           this text
TEXT
}

say() { printf '%s\n' "$*"; }

warn() { printf 'alight: %s\n' "$*" >&2; }

die() {
    warn "$1"
    shift
    for line in "$@"; do
        printf '        %s\n' "$line" >&2
    done
    exit 1
}

# ---------------------------------------------------------------------------------------------------- places

find_places() {
    case ${HOME:-} in
        *"$newline"*) die 'the path of your home directory holds a line break; that is more than this script can do' ;;
        /*) ;;
        *) die 'HOME is not set to an absolute path' ;;
    esac
    system=$(uname -s)
    if [ "$system" = Darwin ]; then
        share="$HOME/Library/Application Support"
        state=$share
    else
        case ${XDG_DATA_HOME:-} in /*) share=$XDG_DATA_HOME ;; *) share=$HOME/.local/share ;; esac
        case ${XDG_STATE_HOME:-} in /*) state=$XDG_STATE_HOME ;; *) state=$HOME/.local/state ;; esac
    fi
    case ${XDG_CONFIG_HOME:-} in /*) config=$XDG_CONFIG_HOME ;; *) config=$HOME/.config ;; esac
    data=$share/alight
    manifest=$data/manifest
    hooks=$data/hooks
    bin=$HOME/.local/bin
    launcher=$bin/alight
}

# The path as a person writes it.
short() {
    case $1 in
        "$HOME"/*) printf '~%s' "${1#"$HOME"}" ;;
        *) printf '%s' "$1" ;;
    esac
}

# Make a directory; those that were not there before are noted, so that an uninstall removes them if they are empty.
make_directory() {
    [ ! -d "$1" ] || return 0
    make_directory "$(dirname "$1")" || return 1
    mkdir "$1" || return 1
    made="$1$newline$made"
}

note_directories() {
    printf '%s' "$made" | while IFS= read -r directory; do
        [ "$directory" = "$data" ] || note "dir $directory"
    done
}

note() { grep -qxF -- "$1" "$manifest" 2>/dev/null || printf '%s\n' "$1" >>"$manifest"; }

# ---------------------------------------------------------------------------------------------------- Python

# Says nothing and succeeds when a file is a Python to build on; otherwise says why it is not.
judge_python() {
    "$1" -I -c '
import sys
if sys.version_info < (3, 11):
    sys.exit("is Python %d.%d; alight needs 3.11 or newer" % sys.version_info[:2])
if sys.implementation.name != "cpython":
    sys.exit("is not CPython")
if sys.prefix != sys.base_prefix:
    sys.exit("belongs to an environment of its own, which may go away")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("has no venv and ensurepip (on Debian and Ubuntu: sudo apt-get install python3-venv)")
' 2>&1 </dev/null
}

# Candidates, first the paths that survive an upgrade. Shims of version managers are never among them: which Python a
# shim starts depends on the directory, and may be none.
candidates() {
    [ "$system" = Darwin ] || printf '%s\n' /usr/bin/python3 /usr/bin/python3.1[1-9]
    for brew in /opt/homebrew /usr/local /home/linuxbrew/.linuxbrew; do
        for minor in 19 18 17 16 15 14 13 12 11; do
            say "$brew/opt/python@3.$minor/bin/python3.$minor"
        done
    done
    printf '%s\n' /usr/local/bin/python3 /usr/local/bin/python3.1[1-9]
    printf '%s\n' /Library/Frameworks/Python.framework/Versions/3.1[1-9]/bin/python3
    for root in "${PYENV_ROOT:-$HOME/.pyenv}/versions" "$share/uv/python" "$HOME/.local/share/uv/python"; do
        printf '%s\n' "$root"/*3.1[1-9]*/bin/python3
    done
    old_ifs=$IFS
    IFS=:
    for directory in $PATH; do
        case $directory in
            */shims | *"/shims/"*) ;;
            /*) printf '%s\n' "$directory"/python3.1[1-9] "$directory/python3" ;;
        esac
    done
    IFS=$old_ifs
}

find_python() {
    if [ -n "$python" ]; then
        [ -x "$python" ] || die "$python is not a program"
        why=$(judge_python "$python") || die "$python ${why:-does not run}"
        return 0
    fi
    refused=
    list=$(cat "$data/env/python" 2>/dev/null; candidates)
    while IFS= read -r candidate; do
        [ -x "$candidate" ] || continue
        if why=$(judge_python "$candidate"); then
            python=$candidate
            return 0
        fi
        refused="$refused$candidate $why$newline"
    done <<LIST
$list
LIST
    set -- 'no suitable Python found; nothing was changed' \
        'alight needs Python 3.11 or newer with venv, for example:' \
        '  Debian, Ubuntu: sudo apt-get install python3 python3-venv' \
        '  macOS:          brew install python' \
        'or name one: ./install.sh --python PATH'
    [ -z "$refused" ] || set -- "$@" 'Looked at and refused:' "${refused%"$newline"}"
    die "$@"
}

# ---------------------------------------------------------------------------------------------------- environment

# One number for what gets installed: the files and the Python.
fingerprint() {
    {
        say "$python"
        "$python" -V
        find daemon shell hatch_build.py pyproject.toml README.md LICENSE -type f ! -name '*.py[co]' ! -name '*.zwc' ! -name alight-query |
            LC_ALL=C sort | while IFS= read -r file; do cksum "$file"; done
    } 2>&1 | cksum
}

# The environment starts and has all its parts.
is_sound() {
    [ -x "$1/bin/alight" ] && "$1/bin/python" -I -c '
import click, msgspec, packaging, platformdirs, rich, watchdog, zmq
import alight.cli.main
' >/dev/null 2>&1 </dev/null && "$1/bin/alight" init bash >/dev/null 2>&1 </dev/null
}

# The C compiler that building the client would use first; nothing when there is none.
compiler() {
    for words in "${CC:-}" cc gcc clang; do
        command -v "${words%% *}" 2>/dev/null && return 0
    done
    return 0
}

# There is a compiler now, the environment has no compiled client, and it was not made with this compiler.
could_compile() {
    for client in "$1"/lib/python3*/site-packages/alight/alight-query; do
        [ ! -x "$client" ] || return 1
    done
    [ -z "${ALIGHT_NO_COMPILE:-}" ] && [ "$(compiler)" != "$(cat "$1/compiler" 2>/dev/null)" ]
}

# Build a new environment beside the old one and let the link point to it: whatever fails, the old one keeps working.
make_environment() {
    wanted=$(fingerprint)
    if [ "$(cat "$data/env/made-from" 2>/dev/null)" = "$wanted" ] && is_sound "$data/env" &&
        ! could_compile "$data/env"; then
        return 0
    fi
    say "alight: making its environment with $("$python" -V) ($python) ..."
    make_directory "$data" || die "cannot make $data"
    number=1
    until mkdir "$data/env-$number" 2>/dev/null; do
        number=$((number + 1))
        [ "$number" -lt 1000 ] || die "cannot make a folder in $data"
    done
    new=$data/env-$number
    log=$new/log
    if ! "$python" -m venv "$new" >"$log" 2>&1 </dev/null; then
        explain
        die "$python could not make an environment; nothing was changed" \
            'on Debian and Ubuntu: sudo apt-get install python3-venv'
    fi
    # A pip that was told to demand an environment, or to install elsewhere, would not install here.
    if ! (
        unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_REQUIRE_VIRTUALENV PYTHONPATH PYTHONHOME
        # By variable, so that the pip which pip starts for the build gives up as early.
        export PIP_RETRIES="${PIP_RETRIES:-2}"
        exec "$new/bin/python" -m pip install --disable-pip-version-check --no-input . >>"$log" 2>&1 </dev/null
    ); then
        explain
        die 'pip could not install alight and what it needs; nothing was changed' \
            'Is there a network, and does pip reach its package index? Then run this again.'
    fi
    if ! is_sound "$new"; then
        die 'what pip installed does not start; nothing was changed' "look at it with: $python -m venv x && x/bin/pip install ."
    fi
    printf '%s\n' "$python" >"$new/python"
    printf '%s\n' "$wanted" >"$new/made-from"
    compiler >"$new/compiler"
    rm -f "$log"
    point "$data/env" "env-$number"
    new=
    changed="${changed}  environment  $(short "$data/env-$number")$newline"
    renewed=yes
}

# Make a link point somewhere else in one step, with rename(2): mv would follow a link to a directory.
point() {
    rm -f "$1.new"
    if ! ln -s "$2" "$1.new" || ! "$python" -I -c 'import os, sys; os.replace(*sys.argv[1:])' "$1.new" "$1"; then
        die "cannot write $1"
    fi
}

explain() {
    tail -n 12 "$log" | sed 's/^/    | /' >&2
}

# On the way out with an unfinished environment: take it away, and the folders made for it.
clean_up() {
    code=$?
    trap - EXIT
    if [ -n "$new" ]; then
        rm -rf "$new"
        rm -f "$data/env.new"
        remove_empty "$made"
    fi
    exit "$code"
}

remove_empty() {
    printf '%s' "$1" | while IFS= read -r directory; do
        rmdir "$directory" 2>/dev/null
    done
}

remove_old_environments() {
    current=$(readlink "$data/env")
    for old in "$data"/env-*; do
        [ "${old##*/}" = "$current" ] || rm -rf "$old"
    done
}

# ---------------------------------------------------------------------------------------------------- files

# Put FILE.new in FILE's place in one step, if it holds anything else.
settle() {
    if cmp -s "$1.new" "$1"; then
        rm -f "$1.new"
        return 1
    fi
    mv -f "$1.new" "$1" || die "cannot write $1"
}

write_hooks() {
    make_directory "$hooks" || die "cannot make $hooks"
    for shell in zsh bash fish; do
        hook=$hooks/alight.$shell
        # Called by the path that stays when the environment is replaced.
        "$data/env/bin/python" -I -m alight init "$shell" >"$hook.new" </dev/null || die "alight init $shell failed"
        if settle "$hook"; then
            changed="${changed}  hook         $(short "$hook")$newline"
            rm -f "$hook.zwc"
        fi
    done
    hook=$hooks/alight.zsh
    if [ ! -e "$hook.zwc" ] && command -v zsh >/dev/null 2>&1; then
        # shellcheck disable=SC2016  # for zsh to expand
        zsh -fc 'zcompile -R -- "$1.zwc" "$1"' zsh "$hook" >/dev/null 2>&1 </dev/null || true  # only makes it faster
    fi
}

link_launcher() {
    make_directory "$bin" || die "cannot make $bin"
    if [ "$(readlink "$launcher" 2>/dev/null)" = "$data/env/bin/alight" ]; then
        return 0
    elif [ -e "$launcher" ] && ! [ -L "$launcher" ]; then
        warn "$(short "$launcher") is a program of somebody else; left alone, call $(short "$data/env/bin/alight")"
        return 0
    fi
    point "$launcher" "$data/env/bin/alight"
    changed="${changed}  link         $(short "$launcher")$newline"
}

# ---------------------------------------------------------------------------------------------------- start-up files

# A path in the words of a shell; below the home directory readable and as portable as the file it goes into.
quoted() {
    rest=${2#"$HOME"/}
    case $rest in
        "$2" | *[!A-Za-z0-9/._\ -]*) ;;
        *)
            # shellcheck disable=SC2016  # for the shell to expand
            printf '"$HOME/%s"' "$rest"
            return
            ;;
    esac
    if [ "$1" = fish ]; then
        printf "'%s'" "$(say "$2" | sed "s/[\\\\']/\\\\&/g")"
    else
        printf "'%s'" "$(say "$2" | sed "s/'/'\\\\''/g")"
    fi
}

rc_line() {
    file=$(quoted "$1" "$hooks/alight.$1")
    # Worded so that the status is 0 when the file is gone.
    if [ "$1" = fish ]; then
        say "not test -r $file; or source $file  # alight"
    else
        say "[ ! -r $file ] || . $file  # alight"
    fi
}

# The start-up files of a shell, one a line.
rc_files() {
    case $1 in
        zsh)
            # Most people set ZDOTDIR in .zshenv, which only zsh reads.
            # shellcheck disable=SC2016  # for zsh to expand
            folder=${ZDOTDIR:-$(zsh -c 'print -r -- "alight:${ZDOTDIR:-}"' 2>/dev/null </dev/null | sed -n 's/^alight://p')}
            case $folder in /*) ;; *) folder=$HOME ;; esac
            say "$folder/.zshrc"
            ;;
        bash)
            say "$HOME/.bashrc"
            if [ "$system" = Darwin ] && [ -e "$HOME/.bash_profile" ]; then
                say "$HOME/.bash_profile"
            fi
            ;;
        fish) say "$config/fish/config.fish" ;;
    esac
}

# The line goes to the end, into the file itself: its mode, owner and links stay.
add_rc_line() {
    line=$(rc_line "$1")
    if [ -e "$2" ] && LC_ALL=C grep -qF "hooks/alight.$1" "$2"; then
        return 0
    fi
    if [ "$modify" = no ]; then
        by_hand="$by_hand  $(short "$2"):  $line$newline"
        return 0
    fi
    kind=plain
    if [ ! -e "$2" ]; then
        kind=created
        make_directory "$(dirname "$2")" || return 0
        note_directories
    elif [ -s "$2" ] && [ -n "$(tail -c 1 "$2" | tr '\n' x | sed 's/x//')" ]; then
        kind=unended
    fi
    note "rc $1 $kind $2"
    [ "$kind" != unended ] || line=$newline$line
    if { printf '%s\n' "$line" >>"$2"; } 2>/dev/null; then
        changed="${changed}  one line in  $(short "$2")$newline"
    else
        warn "cannot write $2; add this line yourself: ${line#"$newline"}"
    fi
}

write_rc_files() {
    for shell in zsh bash fish; do
        if command -v "$shell" >/dev/null 2>&1; then
            files=$(rc_files "$shell")
            while IFS= read -r file; do
                add_rc_line "$shell" "$file"
            done <<LIST
$files
LIST
        fi
    done
}

# Cut our line out of a file, by its octets, so that all others stay what they are.
remove_rc_line() {
    [ -e "$3" ] || return 0
    wanted=$(rc_line "$1")
    before=$(WANTED=$wanted LC_ALL=C awk '
        $0 == ENVIRON["WANTED"] { print sum + 0; exit }
        { sum += length($0) + 1 }' "$3" 2>/dev/null)
    if [ -z "$before" ]; then
        ! LC_ALL=C grep -qF "hooks/alight.$1" "$3" || warn "$3 still speaks of alight; that line is not ours"
        return 0
    fi
    after=$((before + $(printf '%s\n' "$wanted" | wc -c)))
    if [ "$2" = unended ] && [ "$(wc -c <"$3")" -le "$after" ]; then
        before=$((before - 1))
    fi
    copy=$data/rc.copy
    { head -c "$before" "$3" && tail -c "+$((after + 1))" "$3"; } >"$copy" || die "cannot write $copy"
    if [ "$2" = created ] && [ ! -s "$copy" ] && [ ! -L "$3" ]; then
        rm -f "$3"
    else
        cat "$copy" >"$3" || warn "cannot write $3; remove this line yourself: $wanted"
    fi
    rm -f "$copy"
    say "  one line in  $(short "$3")"
}

# ---------------------------------------------------------------------------------------------------- verbs

install() {
    unset CDPATH
    cd -- "$(dirname -- "$0")" || exit 1
    source=$PWD
    if [ ! -f pyproject.toml ] || [ ! -d daemon/alight ]; then
        die "$source is not a checkout of alight"
    fi
    find_python
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    make_environment
    make_directory "$data" || die "cannot make $data"
    write_hooks
    link_launcher
    # The daemon will want this folder; it is removed with the rest.
    make_directory "$state"
    note_directories
    write_rc_files
    cp "$source/install.sh" "$data/install.sh.new" && settle "$data/install.sh"

    if [ "$renewed" = yes ]; then
        "$data/env/bin/alight" daemon stop >/dev/null 2>&1 </dev/null
        remove_old_environments
    fi
    if ! "$data/env/bin/alight" daemon start >/dev/null 2>&1 </dev/null; then
        warn "the daemon did not start; $(short "$data/env/bin/alight") daemon logs may say why"
    fi
    report
}

report() {
    if [ -z "$changed" ]; then
        say 'alight: everything is in place, nothing was changed'
    else
        say 'alight is installed. What changed:'
        printf '%s' "$changed"
        say "Undo all of it with: $(quoted sh "$data/install.sh") --uninstall"
    fi
    if [ -n "$by_hand" ]; then
        say 'For the hooks, put these lines at the end of your start-up files:'
        printf '%s' "$by_hand"
    fi
    case :$PATH: in
        *":$bin:"*) ;;
        *) say "$(short "$bin") is not on your PATH; the hooks do without, and offer \`alight\` in your shells." ;;
    esac
    [ -z "$changed" ] || say 'Next: open a new shell and change into a project.'
}

uninstall() {
    if [ ! -e "$data" ] && [ ! -L "$launcher" ]; then
        say 'alight is not installed, nothing was changed'
        return 0
    fi
    say 'alight: removing'
    runtime=
    if [ -x "$data/env/bin/python" ]; then
        "$data/env/bin/alight" daemon stop >/dev/null 2>&1 </dev/null || warn 'no daemon was stopped'
        runtime=$("$data/env/bin/python" -I -c '
import os
from alight.paths import places
print(places(os.environ, os.getuid()).runtime)' 2>/dev/null </dev/null)
    fi
    directories=
    if [ -r "$manifest" ]; then
        while read -r what rest; do
            case $what in
                rc)
                    shell=${rest%% *}
                    rest=${rest#* }
                    remove_rc_line "$shell" "${rest%% *}" "${rest#* }"
                    ;;
                dir) directories="$directories$rest$newline" ;;
            esac
        done <"$manifest"
    fi
    if [ "$(readlink "$launcher" 2>/dev/null)" = "$data/env/bin/alight" ]; then
        rm -f "$launcher"
        say "  link         $(short "$launcher")"
    fi
    if [ -n "$runtime" ] && [ -d "$runtime" ]; then
        # By name: the directory may be one the user chose.
        for name in alight.sock alive failures generation lock projects spawn.lock start.log; do
            rm -rf "${runtime:?}/$name"
        done
        rmdir "$runtime" 2>/dev/null
    fi
    for directory in "$data" "$state/alight"; do
        if [ -d "$directory" ] && [ ! -L "$directory" ]; then
            rm -rf "$directory"
            say "  directory    $(short "$directory")"
        fi
    done
    # Longest first, so that a folder comes before the one it lies in.
    printf '%s' "$directories" | LC_ALL=C sort -r | while IFS= read -r directory; do
        rmdir "$directory" 2>/dev/null
    done
    if [ -e "$config/alight" ]; then
        say "Your settings in $(short "$config/alight") are left where they are."
    fi
    say 'alight is removed. Shells that are open stay as they are and say nothing.'
}

main() {
    newline='
'
    python=${ALIGHT_PYTHON:-} modify=yes verb=install
    changed='' made='' new='' by_hand='' renewed=no
    while [ $# -gt 0 ]; do
        case $1 in
            --help | -h)
                usage
                exit 0
                ;;
            --no-modify-rc) modify=no ;;
            --uninstall) verb=uninstall ;;
            --python)
                [ $# -ge 2 ] || { usage >&2; exit 2; }
                python=$2
                shift
                ;;
            --python=*) python=${1#--python=} ;;
            *)
                warn "unknown argument: $1"
                usage >&2
                exit 2
                ;;
        esac
        shift
    done
    umask go-w
    find_places
    if [ -n "${SUDO_UID:-}" ] && [ "$(id -u)" -eq 0 ]; then
        die 'this installs for the user who runs it; run it as yourself, without sudo'
    fi
    case $python in
        '' | /*) ;;
        */*) python=$PWD/$python ;;
        *) python=$(command -v "$python") || die "there is no $python on your PATH" ;;
    esac
    "$verb"
}

main "$@"
