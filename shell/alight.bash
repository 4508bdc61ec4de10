# alight for bash: asks the daemon at the prompt what belongs here and applies the answer as data.
#
# Source this file from an interactive bash (4.4 or newer), or eval the output of `alight init bash`. Older ones, scripts
# and subshells read it and are left as they are. The wire is described in PROTOCOL.md. Names that begin with __alight are
# private; the public ones are the function `alight`, the function `deactivate` while an environment is on, and the
# variables ALIGHT_*.
#
# Builtins are called through `builtin`, since the user may have functions of their names. Texts are compared by `[`
# where the case of letters matters, which nocasematch makes [[ ]] overlook. A function that a plan's variables pass
# through has no local variable of an ordinary name: it would catch what is meant for the user's.

# What is switched off while this file is read: aliases, allexport (every function would reach the environment of every
# child), errexit and nounset. Not by `local -`, which before bash 5.1 makes start-up files part of the history.
__alight_restore='' __alight_aliases=0
\builtin [ "${-#*a}" = "$-" ] || __alight_restore+=a
\builtin [ "${-#*e}" = "$-" ] || __alight_restore+=e
\builtin [ "${-#*u}" = "$-" ] || __alight_restore+=u
\builtin set +aeu
if \builtin shopt -q expand_aliases; then
  __alight_aliases=1
  \builtin shopt -u expand_aliases
fi

if [[ $- == *i* && $- != *r* && ${BASH_SUBSHELL-0} == 0 && ${ALIGHT_DISABLE-} != 1 ]] &&
  [[ $UID == "$EUID" && ($EUID != 0 || -z ${SUDO_UID-}) ]] && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then

# Runs a function of ours with plain options, and gives the user's back whatever happens in between. They are remembered
# for the scripts of an environment.
__alight_plainly() {
  builtin local __alight_options="$-"
  if ((__alight_modern)); then
    builtin local -
    builtin set +aeETuvx
    "$@"
  else
    # There `local -` switches the history on, also for what the user's other hooks are made of.
    builtin local __alight_on='' __alight_result=0
    builtin set +aeETuvx
    "$@" || __alight_result=$?
    for __alight_name in a e E T u v x; do
      builtin [ "${__alight_options#*"$__alight_name"}" = "$__alight_options" ] || __alight_on+=$__alight_name
    done
    [[ -z $__alight_on ]] || builtin set "-$__alight_on"
    return "$__alight_result"
  fi
}

# --- wire: the one-shot client -------------------------------------------------------------------

# Runs the client with a verb and its fields; its reply is left in __alight_reply. Returns the exit codes of PROTOCOL.md 6.
__alight_call() {
  __alight_reply=
  [[ -d $__alight_runtime && ! -L $__alight_runtime && -O $__alight_runtime && -S $__alight_runtime/alight.sock ]] || return 3
  [[ -r $__alight_client ]] || return 3
  if [[ $__alight_client == *.py ]]; then
    [[ -x $__alight_python ]] || return 3
    __alight_reply=$(builtin exec "$__alight_python" -I -S "$__alight_client" "$__alight_runtime/alight.sock" "$@" </dev/null 2>/dev/null)
  else
    [[ -x $__alight_client ]] || return 3
    __alight_reply=$(builtin exec "$__alight_client" "$__alight_runtime/alight.sock" "$@" </dev/null 2>/dev/null)
  fi
}

# Splits the reply into __alight_fields. Returns 1 when it does not end as it should. No character of any locale has US
# for its second octet.
__alight_split() {
  builtin local IFS=$'\x1f'
  builtin set -f
  # shellcheck disable=SC2206  # split at US
  __alight_fields=($__alight_reply)
  [[ $__alight_options == *f* ]] || builtin set +f
  ((${#__alight_fields[@]})) && [[ ${__alight_fields[-1]} == end ]] || return 1
  builtin unset -v '__alight_fields[-1]'
}

__alight_clock() {
  builtin printf -v __alight_now '%(%s)T' -1
}

# Whether the daemon may be asked: not for a while after it kept the shell waiting. A clock that was set back ends that.
__alight_may_ask() {
  __alight_clock
  ((__alight_now >= __alight_open_until || __alight_open_until - __alight_now > 60))
}

# What follows from the client's exit code.
__alight_answered() {
  case $1 in
    0 | 1) ;;
    3) __alight_spawn ;;
    4) __alight_open_until=$((__alight_now + 30)) ;;
    *) __alight_open_until=$((__alight_now + 60)) ;;
  esac
}

# Starts the daemon, at most once in ten seconds. The subshell keeps it out of the user's jobs, `wait` and `$!`.
__alight_spawn() {
  ((__alight_now - __alight_spawned >= 10 || __alight_now < __alight_spawned)) || return 0
  [[ -x $__alight_python && -r $__alight_client && -x $__alight_daemon_python ]] || return 0
  __alight_spawned=$__alight_now
  ("$__alight_python" -I -S "${__alight_client%/*}/query.py" spawn "$__alight_runtime" "$__alight_daemon_python" </dev/null >/dev/null 2>&1 &)
}

# --- state and display ---------------------------------------------------------------------------

__alight_show() {
  __alight_shown="$__alight_adopted|$1|$2|$3|$4|$5"
  # Whoever switched an adopted environment on has put the name into the prompt already.
  if ((__alight_adopted)); then
    [[ -n $__alight_conda && -z ${CONDA_PROMPT_MODIFIER-} || -z $__alight_conda && -n ${VIRTUAL_ENV_DISABLE_PROMPT-} ]] ||
      builtin set -- "$1" "$2" "$3" "$4" ''
  fi
  [[ $* != *[[:cntrl:]]* ]] || builtin set -- "${@//[[:cntrl:]]/?}"
  builtin export "ALIGHT_STATE=$1" "ALIGHT_ENV_NAME=$2" "ALIGHT_ENV_KIND=$3" "ALIGHT_PYTHON_VERSION=$4" "ALIGHT_PROMPT=$5"
}

# The segment goes in front of PS1 without any data in it: bash does not expand the value of a variable again.
__alight_segment() {
  case $__alight_wants_segment:${VIRTUAL_ENV_DISABLE_PROMPT:+no}${ALIGHT_PROMPT_SEGMENT-}:$BASHOPTS: in
    1:0:* | 1:false:* | 1:no*:* | 1:off:*) ;;
    1:*:promptvars:*)
      [[ ${PS1-} == *"$__alight_marker"* ]] || __alight_add_segment
      return 0
      ;;
  esac
  [[ ${PS1-} != *"$__alight_marker"* || ${PS1@a} == *r* ]] || PS1=${PS1/"$__alight_marker"/}
}

__alight_add_segment() {
  builtin local framework
  [[ -n ${PS1+x} && ${PS1@a} != *r* ]] || return 0
  [[ -z ${STARSHIP_SHELL-}${POSH_THEME-}${POSH_SHELL_VERSION-}${BASH_IT_THEME-}${OSH_THEME-} ]] || return 0
  for framework in starship_precmd _omp_hook _update_ps1 _powerline_set_prompt _lp_set_prompt; do
    ! builtin declare -F "$framework" >/dev/null || return 0
  done
  PS1=$__alight_marker$PS1
}

# Prints a line once per shell; data from the wire must not reach the terminal raw.
__alight_say() {
  [[ -n $1 && $__alight_said != *$'\x1f'"$1"$'\x1f'* ]] || return 0
  __alight_said+=$'\x1f'$1$'\x1f'
  builtin printf '%s\n' "${1//[[:cntrl:]]/?}" >&2
}

# What tells, without asking anybody, that the last answer may be out of date: the mark in __alight_mark, and in
# __alight_seen a digit for each witness, or `as-ever` where the quick look of a prompt (in __alight_prompt, the same
# condition) finds it so.
__alight_signature() {
  __alight_mark=()
  [[ ! -r $__alight_generation ]] || builtin mapfile -n 1 -t __alight_mark <"$__alight_generation" || builtin :
  if [[ -r $__alight_generation && -e $__alight_there_1 && ! $__alight_there_1 -nt $__alight_generation &&
    -e $__alight_there_2 && ! $__alight_there_2 -nt $__alight_generation &&
    -e $__alight_there_3 && ! $__alight_there_3 -nt $__alight_generation &&
    -e $__alight_there_4 && ! $__alight_there_4 -nt $__alight_generation && ! -e $__alight_missing ]]; then
    __alight_seen=(as-ever)
  else
    __alight_look_closely
  fi
}

__alight_look_closely() {
  builtin local witness
  __alight_seen=('')
  for witness in "${__alight_witnesses[@]}"; do
    if [[ $witness -nt $__alight_generation ]]; then
      __alight_seen[0]+=2
    elif [[ -e $witness ]]; then
      __alight_seen[0]+=1
    else
      __alight_seen[0]+=0
    fi
  done
}

# What an answer depends on, in one string: as long as it is the same, there is nothing to ask.
__alight_sum_up() {
  __alight_sum="$__alight_dirty|${ALIGHT_DISABLE-}|$__alight_switch|${__alight_mark-}|${__alight_seen[0]}|${PWD-}|${VIRTUAL_ENV-}|${CONDA_PREFIX-}|\
${WORKON_HOME-}|${PIPENV_PIPFILE-}|${PIPENV_VENV_IN_PROJECT-}|${PIPENV_CUSTOM_VENV_NAME-}|${PIPENV_PYTHON-}|\
${POETRY_VIRTUALENVS_PATH-}|${POETRY_VIRTUALENVS_IN_PROJECT-}|${PDM_PYTHON-}|${PDM_IGNORE_SAVED_PYTHON-}|\
${PDM_USE_VENV-}|${PDM_VENV_IN_PROJECT-}|${HATCH_ENV-}|${UV_PROJECT_ENVIRONMENT-}|${PYENV_ROOT-}|${PYENV_VERSION-}|\
${ASDF_PYTHON_VERSION-}|\
${DIRENV_DIR-}|${PATH-}"
}

# Remembers $1 … $4 as the witnesses, sorted for the quick look: those that are there, filled up with the generation
# file, and one that is missing.
__alight_watch() {
  builtin local -a there
  __alight_witnesses=("$@") __alight_missing=$__alight_generation/none
  for __alight_name; do
    [[ -n $__alight_name ]] || continue
    if [[ ! -e $__alight_name && $__alight_missing == "$__alight_generation/none" ]]; then
      __alight_missing=$__alight_name
    else
      there+=("$__alight_name")
    fi
  done
  __alight_there_1=${there[0]-$__alight_generation} __alight_there_2=${there[1]-$__alight_generation}
  __alight_there_3=${there[2]-$__alight_generation} __alight_there_4=${there[3]-$__alight_generation}
}

# --- applying and undoing ------------------------------------------------------------------------

# Whether $1 may be set by a plan at all: bash runs `$( )` inside a name, and evaluates what is assigned to an integer.
__alight_may_set() {
  case $1 in
    '' | [0-9]*) return 1 ;;
    # Spelled out, since what lies in a range depends on the locale.
    *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_]*) return 1 ;;
    PATH | path | PS[0-9] | PROMPT | IFS | ENV | BASH* | ZDOTDIR | PROMPT_COMMAND | LD_* | DYLD_* | __alight*) return 1 ;;
    SECONDS | RANDOM | SRANDOM | LINENO | HISTCMD | OPTIND | EPOCH* | UID | EUID | PPID | SHELLOPTS) return 1 ;;
  esac
  __alight_name=$1
  [[ ${!__alight_name@a} != *[!x]* ]]
}

__alight_record() {
  __alight_name=$1
  __alight_former[$1]=${!__alight_name-}
  if [[ -z ${!__alight_name+x} ]]; then
    __alight_was[$1]='unset'
  elif [[ ${!__alight_name@a} == *x* ]]; then
    __alight_was[$1]='exported'
  else
    __alight_was[$1]='set'
  fi
}

__alight_put_back() {
  __alight_name=$1
  if [[ ${__alight_was[$1]} == unset ]]; then
    [[ ${!__alight_name@a} == *r* ]] || builtin unset -v "$1"
    return 0
  fi
  # shellcheck disable=SC2163  # the name is in $1
  case ${__alight_was[$1]} in
    exported) builtin printf -v "$1" %s "${__alight_former[$1]}" && builtin export "$1" ;;
    set) builtin export -n "$1" && builtin printf -v "$1" %s "${__alight_former[$1]}" ;;
  esac 2>/dev/null
}

# Takes the first entry $2 out of the list in the variable $1, or puts $3 in its place. Returns 1 when there is none.
__alight_take_out() {
  __alight_name=$1
  __alight_list=:${!__alight_name-}:
  __alight_before=${__alight_list%%":$2:"*}
  builtin [ "$__alight_before" != "$__alight_list" ] || return 1
  __alight_list=$__alight_before:${3:+$3:}${__alight_list#*":$2:"}
  __alight_list=${__alight_list#:}
  builtin printf -v "$1" %s "${__alight_list%:}"
}

# Whether the list $1 has the entry $2.
__alight_has() {
  __alight_list=:$1:
  builtin [ "${__alight_list#*":$2:"}" != "$__alight_list" ]
}

# Leaves our environment: by value, so that what the user changed meanwhile stays. Where the user has put another one in
# its place, or has taken it off conda's stack, there is nothing to leave.
__alight_leave() {
  builtin local __alight_each __alight_list_name __alight_old
  builtin local -a __alight_after
  __alight_unfinished=1 __alight_known=''
  if { [[ -n $__alight_conda ]] && ! builtin [ "${CONDA_PREFIX-}" = "$__alight_conda" ]; } ||
    { ((__alight_adopted)) && ! builtin [ "${VIRTUAL_ENV-}:${CONDA_PREFIX-}" = "$__alight_adopted_as" ]; }; then
    __alight_forget
    return 0
  fi
  while ((${#__alight_on_leave[@]})); do
    # What Ctrl-C ends is not begun again.
    __alight_each=${__alight_on_leave[0]}
    __alight_on_leave=("${__alight_on_leave[@]:1}")
    __alight_source "$__alight_each"
  done
  __alight_after=("${__alight_after_leave[@]}")
  if ((!__alight_adopted)); then
    for __alight_each in "${!__alight_ours[@]}"; do
      if [[ ${__alight_unset[$__alight_each]-} == 1 ]]; then
        [[ -n ${!__alight_each+x} ]] || __alight_put_back "$__alight_each"
      elif [[ -n ${!__alight_each+x} ]] && builtin [ "${!__alight_each}" = "${__alight_ours[$__alight_each]}" ]; then
        __alight_put_back "$__alight_each"
      fi
    done
    # Another environment's script may have saved PATH with our entry.
    for __alight_list_name in PATH ${_OLD_VIRTUAL_PATH:+_OLD_VIRTUAL_PATH}; do
      for __alight_each in "${__alight_added[@]}"; do
        # What was replaced comes back unless it is there again.
        __alight_old=''
        [[ $__alight_each != *:* ]] || __alight_has "${!__alight_list_name}" "${__alight_each%%:*}" || __alight_old=${__alight_each%%:*}
        __alight_take_out "$__alight_list_name" "${__alight_each#*:}" "$__alight_old"
      done
    done
  elif [[ -n $__alight_conda ]]; then
    __alight_pop
  # The function of the environment's own script; never a command of that name found on PATH.
  elif builtin declare -F deactivate >/dev/null; then
    # shellcheck disable=SC2119  # without venv's own argument
    deactivate
  else
    builtin unset -v VIRTUAL_ENV VIRTUAL_ENV_PROMPT
    __alight_take_out PATH "$__alight_applied/bin"
  fi
  __alight_forget
  for __alight_each in "${__alight_after[@]}"; do
    __alight_source "$__alight_each"
  done
}

__alight_forget() {
  # Another environment's script may have put its own function in the place of ours.
  if ((__alight_deactivate_is_ours)) &&
    [[ -z ${_OLD_VIRTUAL_PATH-} || $(builtin declare -f deactivate) == *__alight_deactivate* ]]; then
    builtin unset -f deactivate
  fi
  __alight_ours=() __alight_unset=() __alight_former=() __alight_was=() __alight_added=()
  __alight_on_leave=() __alight_after_leave=()
  __alight_applied='' __alight_sign='' __alight_conda='' __alight_entry='' __alight_unfinished=''
  __alight_adopted=0 __alight_deactivate_is_ours=0
}

# Undoes what Ctrl-C has left half done. Whoever ends a script of the environment does not want it now.
__alight_undo_unfinished() {
  [[ $__alight_unfinished != script ]] || __alight_declined=${__alight_root:--}
  __alight_give_exit_back
  __alight_leave
  __alight_owner='' __alight_dirty=1
}

# conda's stack: the level in __alight_level, 0 when it is none, and in __alight_below the prefix one level down.
__alight_look_at_stack() {
  __alight_level=0 __alight_below=''
  case ${CONDA_SHLVL-} in
    [123456789] | [12345][0123456789] | 6[01234]) __alight_level=$CONDA_SHLVL ;;
    *) return 0 ;;
  esac
  __alight_name=CONDA_PREFIX_$((__alight_level - 1))
  ((__alight_level == 1)) || __alight_below=${!__alight_name-}
}

# Leaves the top of conda's stack as `conda deactivate` would (PROTOCOL.md 5.1), but for scripts.
__alight_pop() {
  builtin local __alight_old="$CONDA_PREFIX/bin" __alight_modifier="${CONDA_PROMPT_MODIFIER-}" __alight_top __alight_each
  __alight_look_at_stack
  __alight_top=$__alight_level
  ((__alight_top)) || return 0
  if [[ -z $__alight_below ]]; then
    builtin unset -v CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_PROMPT_MODIFIER
    builtin export CONDA_SHLVL=0
    __alight_take_out PATH "$__alight_old"
  else
    builtin export "CONDA_PREFIX=$__alight_below" "CONDA_DEFAULT_ENV=$__alight_below" "CONDA_SHLVL=$((__alight_top - 1))"
    __alight_each=${__alight_below%/*}
    if builtin [ "$__alight_below" = "${_CONDA_ROOT-}" ] || builtin [ "${CONDA_EXE-}" = "$__alight_below/bin/conda" ]; then
      CONDA_DEFAULT_ENV=base
    elif builtin [ "${__alight_each##*/}" = envs ]; then
      CONDA_DEFAULT_ENV=${__alight_below##*/}
    fi
    [[ -z $__alight_modifier ]] || builtin export "CONDA_PROMPT_MODIFIER=($CONDA_DEFAULT_ENV) "
    builtin unset -v "CONDA_PREFIX_$((__alight_top - 1))"
    __alight_name=CONDA_STACKED_$__alight_top
    if [[ -n ${!__alight_name+x} ]]; then
      builtin unset -v "$__alight_name"
      __alight_take_out PATH "$__alight_old"
    elif ! __alight_take_out PATH "$__alight_old" "$__alight_below/bin" && ! __alight_has "$PATH" "$__alight_below/bin"; then
      PATH=$__alight_below/bin${PATH:+:$PATH}
    fi
  fi
  for __alight_each in "${!__CONDA_SHLVL_@}"; do
    __alight_old=${__alight_each#"__CONDA_SHLVL_$((__alight_top - 1))_"}
    if builtin [ "$__alight_old" != "$__alight_each" ] && __alight_may_set "$__alight_old"; then
      builtin export "$__alight_old=${!__alight_each}"
      builtin unset -v "$__alight_each"
    fi
  done
  # conda has put the name into the prompt by itself. Only plain text takes its place: a prompt is expanded.
  if [[ -n $__alight_modifier && ${PS1-} == *"$__alight_modifier"* && ${PS1@a} != *r* ]]; then
    __alight_old=${CONDA_PROMPT_MODIFIER-}
    case $__alight_old in
      *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./\(\)\ -]*) __alight_old='' ;;
    esac
    PS1=${PS1/"$__alight_modifier"/"$__alight_old"}
  fi
}

# Every operation is checked before the first one is applied. $1 is what to do and $2 the environment to do it with.
__alight_valid() {
  builtin local __alight_each __alight_rest __alight_action="$1" __alight_prefix="$2"
  builtin shift 2
  __alight_bare=1
  [[ ${PATH@a} != *r* ]] || return 1
  for __alight_each; do
    __alight_rest=${__alight_each#* }
    # Only entering puts anything in; cleaning takes away.
    case $__alight_action:${__alight_each%% *} in
      enter:* | clean:drop | clean:path-remove | clean:conda-pop) ;;
      keep:on-leave | keep:after-leave | adopt:on-leave | adopt:after-leave) ;;
      *) return 1 ;;
    esac
    case ${__alight_each%% *} in
      set)
        [[ $__alight_rest == *=* ]] && __alight_may_set "${__alight_rest%%=*}" || return 1
        case ${__alight_rest%%=*} in VIRTUAL_ENV | CONDA_PREFIX) __alight_bare=0 ;; esac
        ;;
      save)
        [[ $__alight_rest == *=* ]] && __alight_may_set "${__alight_rest%%=*}" && __alight_may_set "${__alight_rest#*=}" || return 1
        ;;
      unset | drop) __alight_may_set "$__alight_rest" || return 1 ;;
      path-add)
        [[ $__alight_rest == /* && $__alight_rest != *:* ]] || return 1
        [[ $__alight_rest -ef $__alight_prefix/bin ]] ||
          { [[ $__alight_rest == */condabin ]] && __alight_is_own "${__alight_rest%/*}/conda-meta"; } || return 1
        ;;
      path-replace)
        [[ $__alight_rest == /*:/* && ${__alight_rest#*:} != *:* && ${__alight_rest#*:} -ef $__alight_prefix/bin ]] &&
          builtin [ "${__alight_rest#*:}" != "${__alight_rest%:*}" ] || return 1
        ;;
      path-remove | conda-pop) [[ $__alight_rest == /* && $__alight_rest != *:* ]] || return 1 ;;
      run | on-leave | after-leave) __alight_is_place "${__alight_each%% *}" "${__alight_rest%/*}" || return 1 ;;
      *) return 1 ;;
    esac
  done
}

# Whether the operation $1 may source a file in the folder $2: in the environment to be entered, in one that is on, or in
# the one below it.
__alight_is_place() {
  builtin local home
  [[ $__alight_rest == /*[!/] ]] || return 1
  __alight_look_at_stack
  builtin set -- "$1" "$2" "$__alight_applied" "${VIRTUAL_ENV-}" "${CONDA_PREFIX-}" "$__alight_below"
  [[ $__alight_action != enter ]] || builtin set -- "$@" "$__alight_prefix"
  for home in "${@:3}"; do
    [[ $home == /?* ]] || continue
    [[ $1 == on-leave || ! $2 -ef $home/etc/conda/activate.d ]] || return 0
    [[ $1 == after-leave || ! $2 -ef $home/etc/conda/deactivate.d ]] || return 0
    [[ $2 -ef $home/bin || $2 -ef ${home%/*}/ ]] || continue
    case $1:${__alight_rest##*/} in
      run:postactivate | on-leave:predeactivate | after-leave:postdeactivate) return 0 ;;
    esac
  done
  return 1
}

# What is root's is what we cannot write.
__alight_is_own() {
  [[ -e $1 && (-O $1 || ! -w $1) ]]
}

__alight_is_stamp() {
  builtin local name="${1##*/}"
  name=${name%.json}
  [[ $1 == /*/alight/trust/*.json && ${#name} == 64 && $name != *[!0123456789abcdef]* ]] || return 1
  [[ -f $1 && -O $1 && ! -L $1 && -O ${1%/*} ]]
}

# A reply can at most choose among environments that this shell finds to be the user's own and approved: $1 is the
# prefix, $2 its stamp. What tells that the environment is there is left in __alight_text.
__alight_may_enter() {
  [[ $1 == /* && $1 != *:* && -d $1/bin ]] || return 1
  __alight_text=$1/pyvenv.cfg
  [[ -f $__alight_text ]] || __alight_text=$1/conda-meta
  [[ -e $__alight_text ]] || ((!__alight_bare)) || __alight_text=$1/bin/python
  __alight_is_own "$__alight_text" && __alight_is_stamp "$2"
}

__alight_apply() {
  builtin local __alight_each __alight_rest
  for __alight_each; do
    __alight_rest=${__alight_each#* }
    case ${__alight_each%% *} in
      set) __alight_set "${__alight_rest%%=*}" "${__alight_rest#*=}" ;;
      save)
        __alight_name=${__alight_rest#*=}
        [[ -z ${!__alight_name+x} ]] || __alight_set "${__alight_rest%%=*}" "${!__alight_name}"
        ;;
      unset)
        [[ -n ${!__alight_rest+x} ]] || continue
        __alight_record "$__alight_rest"
        __alight_ours[$__alight_rest]='' __alight_unset[$__alight_rest]=1
        builtin unset -v "$__alight_rest"
        ;;
      drop) builtin unset -v "$__alight_rest" ;;
      path-remove) while __alight_take_out PATH "$__alight_rest"; do :; done ;;
      path-add) __alight_put_first "$__alight_rest" ;;
      path-replace)
        if __alight_has "$PATH" "${__alight_rest%:*}"; then
          __alight_added+=("$__alight_rest") __alight_entry=${__alight_rest#*:}
          __alight_take_out PATH "${__alight_rest%:*}" "$__alight_entry"
          while __alight_take_out PATH "${__alight_rest%:*}"; do :; done
        else
          __alight_put_first "${__alight_rest#*:}"
        fi
        ;;
      conda-pop) ! builtin [ "${CONDA_PREFIX-}" = "$__alight_rest" ] || __alight_pop ;;
      run)
        __alight_unfinished=script
        __alight_source "$__alight_rest"
        __alight_unfinished=1
        ;;
      on-leave) __alight_on_leave+=("$__alight_rest") ;;
      after-leave) __alight_after_leave+=("$__alight_rest") ;;
    esac
  done
}

__alight_set() {
  # The record comes first: what Ctrl-C leaves half done is undone by it.
  [[ -n ${__alight_ours[$1]+x} ]] || __alight_record "$1"
  __alight_ours[$1]=$2
  builtin printf -v "$1" %s "$2"
  # shellcheck disable=SC2163  # the name is in $1
  builtin export "$1"
}

__alight_put_first() {
  __alight_added+=("$1")
  [[ $1 == */condabin ]] || __alight_entry=$1
  PATH=$1${PATH:+:$PATH}
}

# Whether a folder with scripts is one of the environment that the stamp is about.
__alight_is_approved() {
  [[ $1 -ef $__alight_approved/bin || $1 -ef $__alight_approved/etc/conda/activate.d ||
    $1 -ef $__alight_approved/etc/conda/deactivate.d ]]
}

# Sources a file of the environment's own: a regular one, ours or root's, that nobody else can write and that, in the
# approved environment, has not changed since the approval. It runs under the user's options but for errexit and nounset, and what it does to
# options ends with it.
__alight_source() {
  [[ -f $1 && ! -L $1 ]] && __alight_is_stamp "$__alight_stamp" || return 0
  [[ ! $1 -nt $__alight_stamp ]] || ! __alight_is_approved "${1%/*}" || return 0
  # No builtin tells a mode or whose a file is: one fork, in environments that have such files.
  [[ -n $(builtin command -p find "$1" ! -perm -020 ! -perm -002 \( -user "$EUID" -o -user 0 \) 2>/dev/null) ]] || return 0
  __alight_before=$-
  # Its `exit` ends the script, as `return` does, not the user's shell.
  __alight_exit=("${BASH_ALIASES[exit]-}")
  builtin alias exit='builtin return'
  for __alight_name in a E T; do
    builtin [ "${__alight_options#*"$__alight_name"}" = "$__alight_options" ] || builtin set "-$__alight_name"
  done
  # shellcheck disable=SC1090  # one of the environment's own files
  builtin source "$1" '' || builtin :
  builtin set +aeETuvx
  # What `local -` does elsewhere.
  ((__alight_modern)) || for __alight_name in B C H P b f h k m; do
    if builtin [ "${__alight_before#*"$__alight_name"}" = "$__alight_before" ]; then
      builtin [ "${-#*"$__alight_name"}" = "$-" ] || builtin set "+$__alight_name"
    else
      builtin [ "${-#*"$__alight_name"}" != "$-" ] || builtin set "-$__alight_name"
    fi
  done
  __alight_give_exit_back
}

__alight_give_exit_back() {
  ((${#__alight_exit[@]})) || return 0
  if [[ -n ${__alight_exit[0]} ]]; then
    # shellcheck disable=SC2139  # the very text that it was
    builtin alias "exit=${__alight_exit[0]}"
  else
    builtin unalias exit 2>/dev/null
  fi
  __alight_exit=()
}

# Takes over the plan for the directory in its arguments, the fields from that one on. Returns 1 when any of them is not
# what it should be; nothing was applied then.
__alight_take() {
  (($# >= 20)) && builtin [ "$1" = "$PWD" ] && [[ $2 == plan ]] || return 1
  # Those from the verb on have the numbers that the zsh hook uses.
  builtin shift
  [[ -z $3 || $3 == /* ]] && [[ -z $4 || $4 == /* ]] && [[ -z ${14} || ${14} == "$__alight_runtime"/* ]] || return 1
  __alight_valid "$2" "$4" "${@:20}" || return 1
  case $2 in
    keep)
      [[ -z $6 ]] || __alight_is_stamp "$6" || return 1
      if [[ -n $__alight_applied ]]; then
        __alight_stamp=${6:-$__alight_stamp} __alight_on_leave=() __alight_after_leave=()
        (($# < 20)) || __alight_apply "${@:20}"
      fi
      ;;
    adopt)
      [[ -z $6 ]] || __alight_is_stamp "$6" || return 1
      __alight_forget
      __alight_applied=$4 __alight_adopted=1 __alight_adopted_as=${VIRTUAL_ENV-}:${CONDA_PREFIX-}
      __alight_stamp=$6 __alight_approved=$4 __alight_sign=$4/pyvenv.cfg
      [[ -f $__alight_sign ]] || __alight_sign=$4/conda-meta
      [[ -n ${VIRTUAL_ENV-} ]] || __alight_conda=${CONDA_PREFIX-}
      __alight_apply "${@:20}"
      __alight_look_at_stack
      __alight_entered_at=$__alight_level
      ;;
    enter)
      __alight_may_enter "$4" "$6" || return 1
      [[ -z $__alight_applied ]] || __alight_leave
      # From here on the record tells how to undo what Ctrl-C leaves half done.
      __alight_unfinished=1 __alight_known='' __alight_applied=$4 __alight_sign=$__alight_text __alight_root=$3
      __alight_stamp=$6 __alight_approved=$4
      if ! builtin declare -F deactivate >/dev/null; then
        # Takes venv's own argument: an `activate` script may call `deactivate nondestructive` before it sets its variables.
        # shellcheck disable=SC2120
        deactivate() { __alight_plainly __alight_deactivate "$@"; }
        __alight_deactivate_is_ours=1
      fi
      __alight_apply "${@:20}"
      __alight_conda=${__alight_ours[CONDA_PREFIX]-}
      ((__alight_bare)) || __alight_entry=''
      __alight_look_at_stack
      __alight_entered_at=$__alight_level
      __alight_unfinished=''
      ;;
    leave | clean)
      [[ -z $__alight_applied ]] || __alight_leave
      if [[ $2 == clean ]]; then
        # shellcheck disable=SC2119  # without venv's own argument
        [[ " ${*:20} " != *' drop VIRTUAL_ENV '* ]] || ! builtin declare -F deactivate >/dev/null || deactivate
        __alight_apply "${@:20}"
      fi
      ;;
    *) return 1 ;;
  esac
  __alight_root=$3 __alight_owner=$5
  if [[ -n $__alight_declined ]] && builtin [ "${3:--}" != "$__alight_declined" ]; then
    __alight_declined=''
    [[ $__alight_switch != paused ]] || __alight_switch=on
  fi
  __alight_generation=${14} __alight_wants_segment=${12}
  builtin [ "$__alight_adopted|$7|$8|$9|${10}|${11}" = "$__alight_shown" ] || __alight_show "$7" "$8" "$9" "${10}" "${11}"
  [[ -z ${13} ]] || __alight_say "${13}"
  if ((__alight_again)); then
    __alight_witnesses=("${@:16:4}")
  else
    __alight_watch "${@:16:4}"
    __alight_signature
    # News that came between the reply and now must not be lost: the reply's own mark counts, not the file's.
    __alight_mark=("${15}")
  fi
}

# --- the prompt ----------------------------------------------------------------------------------

# Asks and applies, or applies what was answered to the very same question less than 30 s ago, if the mark and the
# witnesses of that answer are as they were: the same test that a prompt makes where nothing was asked. Not after anything
# that the user said to us. $1 is the status of the last command, $2 is 0 when nothing calls for a new answer. Until it is
# done the shell stays dirty, so that Ctrl-C, or a daemon that does not answer, means asking again.
__alight_ask() {
  builtin local __alight_code=0 __alight_new="$__alight_first" __alight_key __alight_said_so __alight_again=0
  __alight_dirty=1
  # A shell that has the function `deactivate` did not inherit what is on: a start-up file switched it on right here.
  ((!__alight_new)) || ! builtin declare -F deactivate >/dev/null || __alight_new=0
  # The variables are those that the client sends; in one piece, since a loop would take longer than all the rest.
  __alight_key="$PWD|$__alight_switch|$__alight_owner|$__alight_applied|$__alight_declined|$__alight_new|\
${PATH-}|${VIRTUAL_ENV-}|${VIRTUAL_ENV_PROMPT-}|${VIRTUAL_ENV_DISABLE_PROMPT-}|${CONDA_PREFIX-}|${CONDA_DEFAULT_ENV-}|\
${CONDA_SHLVL-}|${CONDA_PREFIX_1-}|${CONDA_PREFIX_2-}|${CONDA_CHANGEPS1-}|${PYTHONHOME-}|${PKG_CONFIG_PATH-}|\
${PYENV_VIRTUAL_ENV-}|${PYENV_ACTIVATE_SHELL-}|${POETRY_ACTIVE-}|${PIPENV_ACTIVE-}|${HATCH_ENV_ACTIVE-}|\
${PIXI_IN_SHELL-}|${DIRENV_DIR-}|${DIRENV_DIFF-}|${__MISE_DIFF-}|${TERM_PROGRAM-}|${CONDA_EXE-}|${_CONDA_ROOT-}|\
${MAMBA_EXE-}|${MAMBA_ROOT_PREFIX-}|${CONDA_ENVS_DIRS-}|${CONDA_ENVS_PATH-}|${CONDARC-}|${WORKON_HOME-}|\
${VIRTUALFISH_HOME-}|${PIPENV_PIPFILE-}|${PIPENV_VENV_IN_PROJECT-}|${PIPENV_CUSTOM_VENV_NAME-}|${PIPENV_PYTHON-}|\
${PIPENV_MAX_DEPTH-}|${POETRY_VIRTUALENVS_PATH-}|${POETRY_VIRTUALENVS_IN_PROJECT-}|${POETRY_CACHE_DIR-}|\
${POETRY_CONFIG_DIR-}|${PDM_PYTHON-}|${PDM_IGNORE_SAVED_PYTHON-}|${PDM_USE_VENV-}|${PDM_VENV_IN_PROJECT-}|\
${PDM_CONFIG_FILE-}|${HATCH_DATA_DIR-}|${HATCH_CONFIG-}|${HATCH_ENV-}|${HATCH_ENV_TYPE_VIRTUAL_PATH-}|\
${UV_PROJECT_ENVIRONMENT-}|${UV_PYTHON_INSTALL_DIR-}|${UV_CACHE_DIR-}|${PYENV_ROOT-}|${PYENV_VERSION-}|${PIXI_HOME-}|\
${MISE_DATA_DIR-}|${ASDF_DATA_DIR-}|${ASDF_PYTHON_VERSION-}|${XDG_DATA_HOME-}|${XDG_CACHE_HOME-}|${XDG_CONFIG_HOME-}|\
${HOME-}"
  if (($2 == 0)) && __alight_recall; then
    __alight_dirty=0 __alight_again=1
    ! __alight_take "${__alight_fields[@]:10}" || return 0
    __alight_again=0
    [[ -z $__alight_unfinished ]] || __alight_undo_unfinished
    __alight_dirty=1
  fi
  __alight_call ask bash "$$" "$PWD" "$__alight_switch" "$__alight_owner" "$__alight_applied" "$__alight_declined" \
    "$1" "$__alight_new" || __alight_code=$?
  __alight_answered "$__alight_code"
  ((__alight_code <= 1)) && __alight_dirty=0
  if ((__alight_code == 0)); then
    __alight_first=0
    __alight_said_so=$__alight_reply
    if __alight_split && __alight_take "${__alight_fields[@]:3}"; then
      ((${#__alight_memory[@]} < 64)) || __alight_memory=()
      builtin local IFS=$'\x1f'
      builtin set -- "$__alight_now" "${__alight_mark-}" "$__alight_missing" \
        "$__alight_there_1" "$__alight_there_2" "$__alight_there_3" "$__alight_there_4"
      [[ ${__alight_seen[0]} != as-ever ]] || __alight_memory[$__alight_key]="$*"$'\x1f'$__alight_said_so
      return 0
    fi
  fi
  __alight_signature
  __alight_alone
}

# Looks for an answer to the question __alight_key that is still good; it is left in __alight_fields, behind seven of
# ours, and what to look at from now on where a prompt looks.
__alight_recall() {
  __alight_reply=${__alight_memory[$__alight_key]-}
  [[ -n $__alight_reply ]] && __alight_split || return 1
  builtin set -- "${__alight_fields[@]}"
  ((__alight_now - $1 < 30 && __alight_now >= $1)) &&
    [[ -r ${25} && -e $4 && ! $4 -nt ${25} && -e $5 && ! $5 -nt ${25} && -e $6 && ! $6 -nt ${25} && -e $7 && ! $7 -nt ${25} && ! -e $3 ]] &&
    builtin mapfile -n 1 -t __alight_mark <"${25}" && builtin [ "${__alight_mark-}" = "$2" ] || return 1
  __alight_missing=$3 __alight_there_1=$4 __alight_there_2=$5 __alight_there_3=$6 __alight_there_4=$7
  __alight_seen=(as-ever)
}

# Whether the user has switched off what is applied by other means than ours. Another environment on top is no such word.
__alight_is_off() {
  if [[ -n $__alight_conda ]]; then
    ! builtin [ "${CONDA_PREFIX-}" = "$__alight_conda" ] || return 1
    __alight_look_at_stack
    [[ -z ${CONDA_PREFIX-} ]] || ((__alight_level < __alight_entered_at))
  elif [[ -n $__alight_entry ]]; then
    # shellcheck disable=SC2251  # the answer of the function
    ! __alight_has "$PATH" "$__alight_entry"
  else
    [[ -z ${VIRTUAL_ENV-} ]]
  fi
}

# Without an answer the shell still must not keep an environment that is gone or of a project it has left.
__alight_alone() {
  [[ -n $__alight_applied ]] || return 0
  if [[ -e $__alight_sign ]]; then
    [[ $__alight_root != / ]] || return 0
    ! builtin [ "$PWD" = "$__alight_root" ] || return 0
    builtin [ "${PWD#"$__alight_root"/}" = "$PWD" ] || return 0
  fi
  __alight_leave
  __alight_owner=''
  __alight_show none '' '' '' ''
}

# direnv and mise own what they set, so that they speak first where the directory is a new one. Their own elements come
# after ours, and find nothing left to do.
__alight_let_others() {
  ((${#PROMPT_COMMAND[@]} > 1)) || [[ ${PROMPT_COMMAND-} != __alight_prompt ]] || return 0
  builtin local __alight_each
  for __alight_each in _direnv_hook _mise_hook; do
    if [[ ${PROMPT_COMMAND[*]} == *"$__alight_each"* ]] && builtin declare -F "$__alight_each" >/dev/null; then
      "$__alight_each"
    fi
  done
}

__alight_look() {
  builtin local __alight_forced
  [[ -z $__alight_unfinished ]] || __alight_undo_unfinished
  if [[ -n $__alight_applied && ! -e $__alight_sign ]]; then
    __alight_leave
    __alight_owner='' __alight_dirty=1
    __alight_show none '' '' '' ''
  elif [[ -n $__alight_applied ]] && __alight_is_off; then
    # With a function that is not ours: that is as clear a word.
    __alight_leave
    __alight_owner='' __alight_declined=${__alight_root:--} __alight_dirty=1
  fi
  if ! builtin [ "${PWD-}" = "$__alight_asked" ] || {
    __alight_signature
    __alight_sum_up
    ! builtin [ "$__alight_sum" = "$__alight_known" ]
  }; then
    __alight_forced=$__alight_dirty __alight_dirty=1
    if [[ $PWD == /* ]] && __alight_may_ask; then
      builtin [ "$PWD" = "$__alight_asked" ] || __alight_let_others
      __alight_asked=$PWD
      __alight_ask "$1" "$__alight_forced"
      __alight_sum_up
      __alight_known=$__alight_sum
      ((!__alight_dirty)) || __alight_known=''
    else
      __alight_alone
    fi
  fi
  __alight_segment
}

__alight_at_prompt() {
  [[ $$ == "$__alight_pid" && $BASH_SUBSHELL == 0 && ${ALIGHT_DISABLE-} != 1 && $__alight_switch != off ]] || return 0
  [[ $__alight_flags == own ]] || __alight_register
  ((__alight_bound)) || __alight_bind
  ((${#__alight_dropped[@]} == 0)) || __alight_mend_history
  __alight_look "$__alight_code"
}

# The hook. Nearly every prompt ends in its first half, having compared what it depends on (__alight_signature and
# __alight_sum_up, in one piece); only then is it worth to shut out the user's options. `mapfile` is the quickest way to a
# line, and what is assigned on the way is an array, which allexport does not export. It returns the status of the last
# command where others in the same string want to see it, and 0 where bash itself keeps it for them, because any other
# value would set off the user's ERR trap.
__alight_prompt() {
  builtin local __alight_code="$?"
  __alight_at_start=(1)
  if [[ ${PROMPT_COMMAND-} == __alight_prompt && ${PWD-} == "$__alight_asked" &&
    -r $__alight_generation && -e $__alight_there_1 && ! $__alight_there_1 -nt $__alight_generation &&
    -e $__alight_there_2 && ! $__alight_there_2 -nt $__alight_generation &&
    -e $__alight_there_3 && ! $__alight_there_3 -nt $__alight_generation &&
    -e $__alight_there_4 && ! $__alight_there_4 -nt $__alight_generation && ! -e $__alight_missing ]] &&
    builtin mapfile -n 1 -t __alight_mark <"$__alight_generation" &&
    builtin [ "$__alight_dirty|${ALIGHT_DISABLE-}|$__alight_switch|${__alight_mark-}|as-ever|${PWD-}|${VIRTUAL_ENV-}|${CONDA_PREFIX-}|\
${WORKON_HOME-}|${PIPENV_PIPFILE-}|${PIPENV_VENV_IN_PROJECT-}|${PIPENV_CUSTOM_VENV_NAME-}|${PIPENV_PYTHON-}|\
${POETRY_VIRTUALENVS_PATH-}|${POETRY_VIRTUALENVS_IN_PROJECT-}|${PDM_PYTHON-}|${PDM_IGNORE_SAVED_PYTHON-}|\
${PDM_USE_VENV-}|${PDM_VENV_IN_PROJECT-}|${HATCH_ENV-}|${UV_PROJECT_ENVIRONMENT-}|${PYENV_ROOT-}|${PYENV_VERSION-}|\
${ASDF_PYTHON_VERSION-}|\
${DIRENV_DIR-}|${PATH-}" = "$__alight_known" ]; then
    [[ ${PS1-} == *"$__alight_marker"* && :$BASHOPTS: == *:promptvars:* && $__alight_wants_segment == 1 &&
      -z ${VIRTUAL_ENV_DISABLE_PROMPT-}${ALIGHT_PROMPT_SEGMENT-} ]] || __alight_plainly __alight_segment || builtin :
    return 0
  fi
  builtin local __alight_flags="$-" __alight_errexit="${__alight_dropped[2]-}"
  [[ ${PROMPT_COMMAND-} != __alight_prompt ]] || __alight_flags=own
  __alight_plainly __alight_at_prompt || builtin :
  [[ -z $__alight_errexit ]] || builtin set -e
  # Under errexit a status from here would end the shell.
  [[ $__alight_flags != own && $__alight_flags$__alight_errexit != *e* ]] || return 0
  return "$__alight_code"
}

# Takes our own call out of a string that somebody merged it into, with one of the separators around it; what is left
# comes back in __alight_text.
__alight_take_apart() {
  builtin local before after
  __alight_text=$1
  while [[ $__alight_text == *__alight_prompt* ]]; do
    before=${__alight_text%%__alight_prompt*}
    after=${__alight_text#*__alight_prompt}
    after=${after#'&&:'}
    case ${before%"${before##*[![:blank:]]}"} in
      '' | *';' | *$'\n')
        case ${after#"${after%%[![:blank:]]*}"} in
          ';'*) __alight_text=$before${after#*;} ;;
          '' | $'\n'*) __alight_text=$before$after ;;
          *) __alight_text=$before:$after ;;
        esac
        ;;
      # Part of something larger, which must stay whole.
      *) __alight_text=$before:$after ;;
    esac
  done
}

# Puts our call first: an element of its own where PROMPT_COMMAND may be an array (bash 5.1), else in front of the
# string, as a condition, because a status that is only tested sets off no ERR trap. Does nothing where the user has made
# the variable readonly. What the others have stays as it is, in their order.
__alight_register() {
  builtin local element
  builtin local -a others
  if ((!__alight_modern)); then
    [[ ${PROMPT_COMMAND-} != '__alight_prompt&&:'* || ${PROMPT_COMMAND#*__alight_prompt} == *__alight_prompt* ]] || return 0
  fi
  others=()
  for element in "${PROMPT_COMMAND[@]}"; do
    if [[ $element == *__alight_prompt* ]]; then
      __alight_take_apart "$element"
      [[ $__alight_text == *[![:space:]]* ]] || continue
      element=$__alight_text
    fi
    others+=("$element")
  done
  # Unset first: a string in the environment would make every child call what it does not have.
  builtin unset -v PROMPT_COMMAND 2>/dev/null || return 0
  if ((__alight_modern)); then
    PROMPT_COMMAND=(__alight_prompt "${others[@]}")
  else
    # shellcheck disable=SC2178  # a string on purpose, before 5.1
    PROMPT_COMMAND="__alight_prompt&&:${others[0]:+;${others[0]}}"
  fi
}

# --- Enter ---------------------------------------------------------------------------------------

# What accepts the line in each keymap, a line for each.
__alight_ask_maps() {
  builtin local map
  for map in emacs vi-insert vi-command; do builtin bind -m "$map" -q accept-line; done
  return 0
}

# Enter first tells us and then accepts the line, in every keymap where it does nothing but accept it; what the user has
# made of it stays. The two keys between, bound to the two halves, are none that a keyboard has. __alight_bound is 2 where
# there is such a keymap.
__alight_bind() {
  builtin local map key found
  builtin local -a answers
  __alight_bound=1
  [[ :$SHELLOPTS: == *:emacs:* || :$SHELLOPTS: == *:vi:* ]] || return 0
  [[ -n ${TERM-} && $TERM != dumb && -z ${BLE_VERSION-} ]] || return 0
  # A substitution forks. Where /dev/fd shows what is open, the empty line that can be read there can be written behind.
  { __alight_ask_maps >>/dev/fd/9 && builtin mapfile -t answers <&9; } 9<<<'' 2>/dev/null
  ((${#answers[@]} == 4)) || builtin mapfile -t answers <<<$'\n'"$(__alight_ask_maps 2>/dev/null)"
  for map in emacs vi-insert vi-command; do
    answers=("${answers[@]:1}")
    found=${answers[0]}
    [[ $found == *'"\C-m"'* || $found == *'"\C-j"'* ]] || continue
    # shellcheck disable=SC2016  # `$_` as it is when the key is pressed, and after it
    builtin bind -m "$map" -x '"\C-x\C-_al\C-a": __alight_enter "$_" 2>/dev/null'
    builtin bind -m "$map" '"\C-x\C-_al\C-b": accept-line'
    __alight_bound=2
    for key in '\C-m' '\C-j'; do
      [[ $found != *"\"$key\""* ]] || builtin bind -m "$map" "\"$key\": \"\C-x\C-_al\C-a\C-x\C-_al\C-b\""
    done
  done 2>/dev/null
}

# A line that may make an environment is told to the daemon before it runs: what is absent now and there later was made
# by the user. Only the first line after a prompt counts; the next ones belong to a command that others began. The guard
# comes first: what counts is the line that will run.
__alight_enter() {
  __alight_last=("$?")
  # An empty line runs nothing, and unless it is part of a paste means nothing to the next one.
  if [[ -z $READLINE_LINE && ${__alight_at_start[0]} == 1 && ${__alight_waiting-0} == 0 ]] && ! builtin read -r -t 0; then
    __alight_at_start=(0)
    return 0
  fi
  __alight_plainly __alight_accepted || builtin :
  # Under errexit the error that the guard drops a command by would end the shell; the prompt switches it on again.
  if [[ ${#__alight_dropped[@]} != 0 && $- == *e* ]]; then
    __alight_dropped[2]=e
    builtin set +e
  fi
}

__alight_accepted() {
  builtin local __alight_at_first="${__alight_at_start[0]}"
  __alight_at_start=(0)
  [[ -z $__alight_numbering ]] || __alight_guard "$__alight_at_first"
  ((__alight_at_first)) || return 0
  case $READLINE_LINE in
    *venv* | *virtualenv* | *uv* | *poetry* | *pipenv* | *pdm* | *hatch* | *pixi* | *conda*)
      __alight_note "$READLINE_LINE"
      ;;
  esac
}

__alight_note() {
  builtin local word
  [[ ${ALIGHT_DISABLE-} != 1 && $__alight_switch == on && $BASH_SUBSHELL == 0 ]] || return 0
  word=${1#"${1%%[![:blank:]]*}"}
  word=${word%%[[:space:]\;\&\|\(\)\<\>]*}
  # A word with other characters than these means something else after expansion.
  case $word in
    '' | -* | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+-]*) return 0 ;;
  esac
  ((${#1} <= 4096)) || return 0
  # Aliases, builtins, keywords and functions of exactly this name; without a fork, as `type -t` would need one.
  ! builtin compgen -abk -A function -X "!$word" -- "$word" >/dev/null || return 0
  [[ $word == */* ]] || builtin type -P "$word" >/dev/null || return 0
  __alight_may_ask || return 0
  __alight_call note bash "$$" "$PWD" file "$1"
  __alight_answered "$?"
  __alight_dirty=1
}

# --- what the user calls -------------------------------------------------------------------------

__alight_deactivate() {
  __alight_leave
  __alight_owner='' __alight_dirty=1
  [[ ${1-} == nondestructive ]] || __alight_declined=${__alight_root:--}
}

alight() { __alight_plainly __alight_command_line "$@"; }

__alight_command_line() {
  builtin local __alight_code
  case ${1-} in
    on | off | pause)
      if (($# != 1)); then
        builtin printf '%s\n' "alight: $1 takes no arguments" >&2
        return 2
      fi
      ;;
  esac
  case ${1-} in
    on) __alight_switch=on __alight_declined='' __alight_dirty=1 __alight_open_until=0 ;;
    off)
      [[ -z $__alight_applied ]] || __alight_leave
      __alight_switch=off __alight_owner='' __alight_declined=''
      __alight_show none '' '' '' ''
      ;;
    pause) __alight_switch=paused __alight_declined=${__alight_root:--} ;;
    status | doctor)
      # No line editor, or one that is not readline: nothing can be asked at Enter.
      if [[ $1 == doctor ]] && ((__alight_bound != 2)); then
        builtin set -- "$1" --shell-guard no "${@:2}"
      fi
      builtin command "$__alight_command" "$1" --shell-owner "$__alight_owner" --shell-switch "$__alight_switch" \
        --shell-declined "$__alight_declined" "${@:2}"
      ;;
    allow | deny | trust | daemon)
      builtin command "$__alight_command" "$@"
      __alight_code=$?
      __alight_dirty=1 __alight_open_until=0
      return "$__alight_code"
      ;;
    check)
      if [[ -n $__alight_numbering ]]; then
        __alight_check "${@:2}"
      else
        builtin command "$__alight_command" "$@"
      fi
      ;;
    *) builtin command "$__alight_command" "$@" ;;
  esac
}

# --- start ---------------------------------------------------------------------------------------

__alight_load() {
  builtin local file="$1" line directory
  __alight_beside=''
  if [[ -z ${__alight_client-} ]]; then
    # Sourced as a file: the client lies beside it, in the package or in the checkout.
    [[ ! -L $file ]] || file=$(builtin command readlink -f -- "$file" 2>/dev/null)
    [[ $file == */* ]] || file=./$file
    [[ $file == /* ]] || file=$PWD/$file
    for line in "${file%/*}/../query.py" "${file%/*}/../daemon/alight/query.py"; do
      [[ -r $line ]] && __alight_client=$line && break
    done
    __alight_beside=${file%/*}/guard.bash
  fi
  [[ -n ${__alight_command-} ]] || __alight_command=$(builtin type -P alight)
  if [[ -z ${__alight_python-} && -r $__alight_command ]]; then
    IFS= builtin read -r line <"$__alight_command"
    line=${line#'#!'}
    [[ $line == /*python* ]] && __alight_python=${line%%[[:space:]]*}
  fi 2>/dev/null
  [[ -n ${__alight_daemon_python-} ]] || __alight_daemon_python=${__alight_python-}
  [[ -n $__alight_command ]] || __alight_command=alight
  builtin declare -g +x __alight_python __alight_client __alight_command __alight_daemon_python

  directory=${ALIGHT_RUNTIME_DIR-}
  if [[ -z $directory ]]; then
    if [[ $OSTYPE == darwin* ]]; then
      directory=$(/usr/bin/getconf DARWIN_USER_TEMP_DIR 2>/dev/null)
      directory=$(builtin cd -P -- "${directory:-/tmp}" 2>/dev/null && builtin pwd -P)/alight
    elif [[ -d /run/user/$EUID && -O /run/user/$EUID && ! -L /run/user/$EUID ]]; then
      directory=/run/user/$EUID/alight
    else
      directory=/tmp/alight-$EUID
    fi
  fi
  __alight_runtime=${directory%/}
  # Sourced a second time: functions and settings are new, what is applied stays known.
  if [[ ${__alight_pid-} != "$$" ]]; then
    builtin declare -g +x __alight_runtime
    __alight_switch=on __alight_owner='' __alight_applied='' __alight_declined='' __alight_root=''
    __alight_there_1='' __alight_there_2='' __alight_there_3='' __alight_there_4=''
    __alight_asked='' __alight_known='' __alight_generation='' __alight_missing=''
    __alight_reply='' __alight_shown='' __alight_text='' __alight_name='' __alight_list='' __alight_before='' __alight_said=''
    __alight_wants_segment=0 __alight_first=1 __alight_adopted=0 __alight_adopted_as='' __alight_deactivate_is_ours=0
    __alight_now=0 __alight_spawned=0 __alight_open_until=0 __alight_bound=0
    __alight_stamp='' __alight_approved='' __alight_below='' __alight_bare=0 __alight_level=0 __alight_entered_at=0
    # shellcheck disable=SC2016  # bash expands it when it shows the prompt
    __alight_marker='${ALIGHT_PROMPT:+$ALIGHT_PROMPT }'
    builtin declare -ga __alight_fields __alight_witnesses __alight_added __alight_mark __alight_seen
    builtin declare -ga __alight_at_start __alight_on_leave __alight_after_leave __alight_exit
    builtin declare -gA __alight_ours __alight_unset __alight_former __alight_was __alight_memory
    __alight_fields=() __alight_witnesses=() __alight_memory=() __alight_mark=() __alight_seen=('')
    __alight_at_start=(0) __alight_exit=() __alight_dropped=() __alight_numbering=''
    __alight_forget
    __alight_pid=$$
    # A parent's display says nothing about this shell.
    __alight_show none '' '' '' ''
  fi
  __alight_dirty=1
  __alight_modern=$((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501))
  __alight_register
}

__alight_load "${BASH_SOURCE[0]-}"
# shellcheck disable=SC1090  # guard.bash; otherwise it comes behind this file
[[ ! -r $__alight_beside ]] || builtin source "$__alight_beside"

fi

if ((__alight_aliases)); then \builtin shopt -s expand_aliases; fi
if [[ -n $__alight_restore ]]; then \builtin set "-$__alight_restore"; fi
\builtin unset -v __alight_restore __alight_aliases
