# alight for zsh: asks the daemon at the prompt what belongs here and applies the answer as data.
#
# Source this file from an interactive zsh, or eval the output of `alight init zsh`.
# The wire is described in PROTOCOL.md. Names that begin with __alight are private; the public ones are the
# function `alight`, the function `deactivate` while an environment is on, and the variables ALIGHT_*.

'builtin' 'typeset' '-ga' '__alight_restore'
__alight_restore=()
[[ ! -o 'aliases' ]] || __alight_restore+=('aliases')
[[ ! -o 'sh_glob' ]] || __alight_restore+=('sh_glob')
[[ ! -o 'no_brace_expand' ]] || __alight_restore+=('no_brace_expand')
'builtin' 'setopt' 'no_aliases' 'no_sh_glob' 'brace_expand'

if [[ -o interactive && ${ZSH_SUBSHELL:-0} == 0 && $UID == $EUID && ! ( $EUID == 0 && -n ${SUDO_UID-} ) && ${ALIGHT_DISABLE-} != 1 ]] &&
  zmodload zsh/net/socket zsh/system zsh/datetime zsh/parameter zsh/zselect 2>/dev/null; then

# Runs a function of ours with plain options; the user's are remembered for the scripts of an environment, which costs more
# than all the rest of a `cd`. What is on the stack while such a script runs has no variable of an ordinary name: it would
# catch what is meant for the user's.
__alight_plainly() {
  local -a __alight_options
  __alight_options=("${(@k)options[(R)on]}")
  emulate -L zsh -o no_err_exit -o no_err_return -o unset -o no_xtrace -o no_warn_create_global
  "$@"
}

# --- wire: ZMTP 3.0 spoken with builtins ---------------------------------------------------------

# One exchange within one deadline. Fields of the reply's body, from the verb on, are left in __alight_reply; the connection
# stays open for pushes. `listen` is only sent: it is answered by news. Returns 3 when nobody is there, 4 when somebody is
# but does not serve in time, 5 when it is somebody else.
#
# It is one long function on purpose: at every cd a call would cost as much as a dozen system calls.
__alight_exchange() {
  setopt local_options no_multibyte local_traps
  trap '' PIPE
  local -i complete=0 low fd code head length written need=66
  local -F left deadline=$(( EPOCHREALTIME + __alight_limit ))
  local verb=$1 run=$__alight_runtime id beat pid when line chunk in octet middle high
  shift
  __alight_reply=()
  (( __alight_fd < 0 )) || __alight_close
  {
    # `zsocket` has no timeout: connect only when the heartbeat is fresh and the process is not stopped.
    [[ -d $run && -O $run && ! -L $run && -S $run/alight.sock && -r $run/alive ]] || return 3
    # `read` takes a system call an octet, `sysread` one.
    sysread -s 64 beat < $run/alive || return 3
    pid=${beat%% *} when=${${beat#* }%$'\n'}
    [[ $pid == <1-> && $when == <1-> ]] || return 3
    (( EPOCHSECONDS - when < 25 && when - EPOCHSECONDS < 25 )) || return 3
    if [[ -r /proc/$pid/stat ]]; then
      # What nobody has reaped yet is as gone as what was.
      sysread -s 512 line < /proc/$pid/stat && [[ ${${line##*\) }[1]} != [ZX] ]] || return 3
      [[ ${${line##*\) }[1]} != [Tt] ]] || return 4
    elif [[ -d /proc/self ]]; then
      return 3
    fi
    zsocket $run/alight.sock 2>/dev/null || return 3
    # It has the lowest free number, which may be one the user counts on: move it away at once.
    low=$REPLY
    exec {fd}>&$low {low}>&-
    __alight_fd=$fd

    # Greeting and READY at once, but nothing more before the server's READY is here: libzmq drops what comes earlier.
    syswrite -o $fd -- $__alight_greeting || return 3
    while (( $#in < need )); do
      (( (left = deadline - EPOCHREALTIME) > 0 )) || return 4
      sysread -i $fd -s 4096 -t $left chunk
      code=$?
      case $code in
        0) in+=$chunk ;;
        4) return 4 ;;
        *) [[ $code == 2 && $ERRNO == 4 ]] || return 3 ;;
      esac
      [[ $in[1] == $'\xff' ]] || return 5
      (( need > 66 || $#in < 66 )) || {
        [[ $in[10] == $'\x7f' && $in[11] == $'\x03' && ${in[13,17]} == $'NULL\0' && $in[65] == $'\x04' ]] || return 5
        octet=$in[66] need=$(( 66 + #octet ))
      }
    done
    [[ ${in[67,72]} == $'\x05READY' ]] || return 5
    in=${in[need+1,-1]}

    # The fields packed into one frame, joined by NUL.
    id=$$.$EPOCHREALTIME.$(( ++__alight_count ))
    chunk=1$'\0'$verb$'\0'$id$'\0'${(pj:\0:)@}
    length=$#chunk
    if (( length < 256 )); then
      chunk=$'\0'${(#)length}$chunk
    elif (( length <= 65536 )); then
      chunk=$'\2\0\0\0\0\0'${(#)$(( length >> 16 ))}${(#)$(( length >> 8 & 255 ))}${(#)$(( length & 255 ))}$chunk
    else
      return 5
    fi
    while true; do
      syswrite -c written -o $fd -- $chunk || return 3
      (( written < $#chunk )) || break
      (( EPOCHREALTIME < deadline )) || return 4
      chunk=${chunk[written+1,-1]}
    done
    if [[ $verb == listen ]]; then
      complete=1
      return 0
    fi

    need=2
    while true; do
      while (( $#in < need )); do
        (( (left = deadline - EPOCHREALTIME) > 0 )) || return 4
        sysread -i $fd -s 4096 -t $left chunk
        code=$?
        case $code in
          0) in+=$chunk ;;
          4) return 4 ;;
          *) [[ $code == 2 && $ERRNO == 4 ]] || return 3 ;;
        esac
      done
      octet=$in[2]
      case $in[1] in
        $'\0' | $'\4') head=2 length=$(( #octet )) ;;
        $'\2' | $'\6')
          (( need >= 9 )) || { need=9; continue }
          [[ ${in[2,6]} == $'\0\0\0\0\0' ]] || return 5
          high=$in[7] middle=$in[8] octet=$in[9]
          head=9 length=$(( (#high) << 16 | (#middle) << 8 | (#octet) ))
          (( length <= 65536 )) || return 5
          ;;
        *) return 5 ;;
      esac
      (( $#in >= head + length )) || { need=$(( head + length )); continue }
      octet=$in[1] chunk=${in[head+1,head+length]} in=${in[head+length+1,-1]} need=2
      # Commands of the transport are passed over.
      [[ $octet == [$'\0'$'\2'] ]] || continue
      __alight_reply=("${(@ps:\0:)chunk}")
      (( $#__alight_reply >= 7 && $#__alight_reply <= 96 )) && [[ $__alight_reply[1] == 1 ]] || return 5
      # What is short as a whole has no field that is too long.
      if (( length > 16384 )); then
        for chunk in "${(@)__alight_reply}"; do
          (( $#chunk <= 16384 )) || return 5
        done
      fi
      [[ $__alight_reply[3] == $id && ( $__alight_reply[6] == $PWD || $__alight_reply[7] == failure ) ]] && break
    done
    shift 6 __alight_reply
    complete=1
    return 0
  } always {
    if (( ! complete )); then
      __alight_reply=()
      __alight_close
    fi
  }
}

__alight_close() {
  (( __alight_fd >= 0 )) || return 0
  (( ! __alight_heard )) || zle -F $__alight_fd
  exec {__alight_fd}>&-
  __alight_fd=-1 __alight_heard=0
}

# --- state and display ---------------------------------------------------------------------------

__alight_show_none() {
  __alight_shown="$__alight_adopted|none||||"
  typeset -gx ALIGHT_STATE=none ALIGHT_ENV_NAME= ALIGHT_ENV_KIND= ALIGHT_PYTHON_VERSION= ALIGHT_PROMPT=
  (( ! __alight_slot )) || psvar[__alight_slot]=
}

# The segment goes in front of PROMPT without any data in it: %1v shows psvar[1] as it is.
__alight_segment() {
  [[ ${ALIGHT_PROMPT_SEGMENT-} != (0|false|no|off) && -z ${VIRTUAL_ENV_DISABLE_PROMPT-} ]] || return 0
  [[ -z ${STARSHIP_SHELL-}${POWERLEVEL9K_MODE-}${POSH_THEME-}${POSH_SHELL_VERSION-}${SPACESHIP_VERSION-} ]] || return 0
  (( ! $+functions[p10k] && ! $+functions[prompt_powerlevel9k_setup] && ! $+functions[prompt_pure_setup] )) || return 0
  if (( ! __alight_slot )); then
    local -i slot
    for slot in 1 2 3 4 5 6 7 8; do
      [[ -z ${psvar[slot]-} && ${PROMPT-} != *%${slot}v* && ${RPROMPT-} != *%${slot}v* ]] && break
    done
    __alight_slot=$slot
    psvar[slot]=${${ALIGHT_PROMPT-}//\%\%/%}
  fi
  [[ ${PROMPT-} == *%${__alight_slot}v* ]] || PROMPT="%($__alight_slot""V.%$__alight_slot""v .)${PROMPT-}"
}

# Prints a line once per shell; data from the wire must not reach the terminal raw.
__alight_say() {
  [[ -n $1 && -z ${__alight_said[$1]-} ]] || return 0
  __alight_said[$1]=1
  # While the line editor shows a line, it has to know that something else is printed; it then redraws by itself.
  zle && zle -I && __alight_redrawn=1
  print -ru2 -- ${1//[[:cntrl:]]/?}
}

# What tells, without asking anybody, that the last answer may be out of date: the mark, and for each witness whether it
# is absent, there, or newer than the mark's file. Runs under the user's own options where the quick look of a prompt does
# not find everything as ever.
__alight_signature() {
  local mark=
  [[ ! -r "$__alight_generation" ]] || builtin sysread -s 256 mark < "$__alight_generation"
  REPLY=${mark%$'\n'}:
  [[ -e "$__alight_witness_1" ]] && { [[ "$__alight_witness_1" -nt "$__alight_generation" ]] && REPLY+=2 || REPLY+=1 } || REPLY+=0
  [[ -e "$__alight_witness_2" ]] && { [[ "$__alight_witness_2" -nt "$__alight_generation" ]] && REPLY+=2 || REPLY+=1 } || REPLY+=0
  [[ -e "$__alight_witness_3" ]] && { [[ "$__alight_witness_3" -nt "$__alight_generation" ]] && REPLY+=2 || REPLY+=1 } || REPLY+=0
  [[ -e "$__alight_witness_4" ]] && { [[ "$__alight_witness_4" -nt "$__alight_generation" ]] && REPLY+=2 || REPLY+=1 } || REPLY+=0
}

# Sorts the witnesses for the quick look: those that are there and older than the mark's file, and those that are absent.
# With any other there is nothing quick about it: no mark is empty.
__alight_sort() {
  __alight_mark=${__alight_signature_seen%:*}
  local -i at
  for at in 1 2 3 4; do
    typeset -g __alight_old_$at= __alight_absent_$at=
    case $__alight_signature_seen[at-5] in
      0) typeset -g __alight_absent_$at=${(P)${:-__alight_witness_$at}} ;;
      1) typeset -g __alight_old_$at=${(P)${:-__alight_witness_$at}} ;;
      *) __alight_mark= ;;
    esac
  done
}

# --- applying and undoing ------------------------------------------------------------------------

# Leaves our environment: by value, so that what the user changed meanwhile stays. Where the user has put another one in
# its place, or has taken it off conda's stack, it is only forgotten, as it is when $1 is `forget`. In one piece, like
# all that a `cd` does: a call costs zsh as much as a dozen lines.
__alight_leave() {
  local __alight_each __alight_old __alight_name
  local -a __alight_list __alight_after
  local -i __alight_at
  __alight_unfinished=1 __alight_session_seen=
  if [[ ${1-} != forget && ( -z $__alight_conda || ${CONDA_PREFIX-} == $__alight_conda ) &&
    ( $__alight_adopted == 0 || ${VIRTUAL_ENV-}:${CONDA_PREFIX-} == $__alight_adopted_as ) ]]; then
    while (( $#__alight_on_leave )); do
      # What Ctrl-C ends is not begun again.
      __alight_each=$__alight_on_leave[1]
      shift __alight_on_leave
      __alight_source $__alight_each
    done
    __alight_after=("${(@)__alight_after_leave}")
    if (( ! __alight_adopted )); then
      for __alight_each in "${(@k)__alight_ours}"; do
        if [[ ${__alight_unset[$__alight_each]-} == 1 ]]; then
          (( ! ${(P)+__alight_each} )) || continue
        elif (( ! ${(P)+__alight_each} )) || [[ ${(P)__alight_each} != $__alight_ours[$__alight_each] ]]; then
          continue
        fi
        case $__alight_was[$__alight_each] in
          unset) unset $__alight_each ;;
          exported) typeset -gx -- "$__alight_each=$__alight_former[$__alight_each]" ;;
          set)
            typeset -g +x -- $__alight_each
            typeset -g -- "$__alight_each=$__alight_former[$__alight_each]"
            ;;
        esac
      done
    elif [[ -n $__alight_conda ]]; then
      __alight_pop
    # The function of the environment's own script; never a command of that name found on PATH.
    elif (( $+functions[deactivate] )); then
      deactivate
    else
      unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT
      __alight_added=("$__alight_applied/bin")
    fi
    if [[ $#__alight_added == 1 && $__alight_added[1] != *:* && -z ${_OLD_VIRTUAL_PATH-} ]]; then
      __alight_at=${path[(ie)$__alight_added[1]]}
      (( __alight_at > $#path )) || path[__alight_at]=()
    else
      # Another environment's script has saved PATH with our entry.
      for __alight_name in PATH _OLD_VIRTUAL_PATH; do
        [[ -n ${(P)__alight_name-} ]] || continue
        __alight_list=("${(@s.:.)${(P)__alight_name}}")
        for __alight_each in "${(@)__alight_added}"; do
          # What was replaced comes back unless it is there again.
          __alight_old=
          [[ $__alight_each != *:* ]] || __alight_old=${__alight_each%%:*}
          __alight_at=${__alight_list[(ie)${__alight_each#*:}]}
          (( __alight_at <= $#__alight_list )) || continue
          if [[ -n $__alight_old ]] && (( ! ${__alight_list[(Ie)$__alight_old]} )); then
            __alight_list[__alight_at]=$__alight_old
          else
            __alight_list[__alight_at]=()
          fi
          : ${(P)__alight_name::=${(j.:.)__alight_list}}
        done
      done
    fi
  fi
  # Another environment's script may have put its own function in the place of ours.
  if (( __alight_deactivate_is_ours )) && [[ ${functions[deactivate]-} == *__alight_deactivate* ]]; then
    unset -f deactivate
  fi
  __alight_ours=() __alight_unset=() __alight_former=() __alight_was=() __alight_added=()
  __alight_on_leave=() __alight_after_leave=()
  __alight_applied= __alight_sign= __alight_conda= __alight_entry= __alight_unfinished=
  __alight_adopted=0 __alight_simple=0 __alight_deactivate_is_ours=0 __alight_scripts=0
  for __alight_each in "${(@)__alight_after}"; do
    __alight_source $__alight_each
  done
}

# Undoes what Ctrl-C has left half done. Whoever ends a script of the environment does not want it now.
__alight_undo_unfinished() {
  [[ $__alight_unfinished != script ]] || __alight_declined=${__alight_root:--}
  __alight_leave
  __alight_owner= __alight_dirty=1
}

# conda's stack: the level in __alight_level, 0 when it is none, and in __alight_below the prefix one level down.
__alight_look_at_stack() {
  __alight_level=0 __alight_below=
  [[ ${CONDA_SHLVL-} == <1-64> ]] || return 0
  __alight_level=$CONDA_SHLVL
  __alight_below=CONDA_PREFIX_$(( __alight_level - 1 ))
  (( __alight_level > 1 )) && __alight_below=${(P)__alight_below-} || __alight_below=
}

# Leaves the top of conda's stack as `conda deactivate` would (PROTOCOL.md 5.1), but for scripts.
__alight_pop() {
  local __alight_name __alight_old=$CONDA_PREFIX/bin __alight_modifier=${CONDA_PROMPT_MODIFIER-}
  local -i __alight_at=${path[(ie)$CONDA_PREFIX/bin]} __alight_top
  __alight_look_at_stack
  (( __alight_top = __alight_level )) || return 0
  if [[ -z $__alight_below ]]; then
    unset CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_PROMPT_MODIFIER
    typeset -gx CONDA_SHLVL=0
    (( __alight_at > $#path )) || path[__alight_at]=()
  else
    typeset -gx CONDA_PREFIX=$__alight_below CONDA_DEFAULT_ENV=$__alight_below CONDA_SHLVL=$(( __alight_top - 1 ))
    if [[ $__alight_below == ${_CONDA_ROOT-} || ${CONDA_EXE-} == $__alight_below/bin/conda ]]; then
      CONDA_DEFAULT_ENV=base
    elif [[ ${__alight_below:h:t} == envs ]]; then
      CONDA_DEFAULT_ENV=${__alight_below:t}
    fi
    [[ -z $__alight_modifier ]] || typeset -gx CONDA_PROMPT_MODIFIER="($CONDA_DEFAULT_ENV) "
    unset CONDA_PREFIX_$(( __alight_top - 1 ))
    __alight_name=CONDA_STACKED_$__alight_top
    if (( ${(P)+__alight_name} )); then
      unset $__alight_name
      (( __alight_at > $#path )) || path[__alight_at]=()
    elif (( __alight_at <= $#path )); then
      path[__alight_at]=$__alight_below/bin
    elif (( ! ${path[(Ie)$__alight_below/bin]} )); then
      path=("$__alight_below/bin" "${(@)path}")
    fi
  fi
  for __alight_name in ${(k)parameters[(I)__CONDA_SHLVL_$(( __alight_top - 1 ))_?*]}; do
    __alight_old=${__alight_name#__CONDA_SHLVL_<->_}
    __alight_may_set $__alight_old || continue
    typeset -gx -- "$__alight_old=${(P)__alight_name}"
    unset $__alight_name
  done
  # conda has put the name into the prompt by itself. Only plain text takes its place: a prompt is expanded.
  if [[ -n $__alight_modifier && ${PS1-} == *"$__alight_modifier"* ]]; then
    __alight_old=${CONDA_PROMPT_MODIFIER-}
    [[ $__alight_old != *[^A-Za-z0-9_./\(\)\ -]* ]] || __alight_old=
    PS1=${PS1/"$__alight_modifier"/$__alight_old}
  fi
}

# Whether a plan may set the variable at all: when its name is one (`typeset` would run `$( )` inside it), when it is none
# of the shell's own (PATH, PS1, IFS, path, functions …), and when it is a plain string.
__alight_may_set() {
  [[ $1 == [A-Za-z_]* && $1 != *[^A-Za-z0-9_]* ]] || return 1
  case $1 in
    PATH | PS[0-9] | (|R|S)PROMPT* | RPS[0-9] | IFS | ENV | BASH_ENV | ZDOTDIR | LD_* | DYLD_* | __alight*) return 1 ;;
  esac
  [[ ${parameters[$1]-scalar} == scalar* && ${parameters[$1]-} != *(special|readonly)* ]]
}

# Every operation of a plan to do $1 with the environment $2 is checked before the first one is applied.
__alight_valid() {
  local __alight_each __alight_verb __alight_rest __alight_action=$1 __alight_prefix=$2
  shift 2
  __alight_bare=1
  for __alight_each; do
    __alight_verb=${__alight_each%% *} __alight_rest=${__alight_each#* }
    # Only entering puts anything in; cleaning takes away.
    case $__alight_action:$__alight_verb in
      enter:* | clean:(drop|path-remove|conda-pop) | (keep|adopt):(on|after)-leave) ;;
      *) return 1 ;;
    esac
    case $__alight_verb in
      set | unset | drop | save)
        [[ $__alight_verb == (unset|drop) || $__alight_rest == *=* ]] || return 1
        # Nearly every plan is about these two, and a call costs more than the look.
        [[ ${__alight_rest%%=*} == VIRTUAL_ENV(|_PROMPT) && ${parameters[${__alight_rest%%=*}]-scalar} == scalar(|-export) ]] ||
          __alight_may_set "${__alight_rest%%=*}" || return 1
        [[ $__alight_verb != save ]] || __alight_may_set "${__alight_rest#*=}" || return 1
        [[ $__alight_each != set\ (VIRTUAL_ENV|CONDA_PREFIX)=* ]] || __alight_bare=0
        ;;
      path-add)
        [[ $__alight_rest == /* && $__alight_rest != *:* ]] || return 1
        [[ $__alight_rest -ef $__alight_prefix/bin ]] ||
          { [[ $__alight_rest == */condabin ]] && [[ -e ${__alight_rest%/*}/conda-meta ]] &&
            [[ -O ${__alight_rest%/*}/conda-meta || ! -w ${__alight_rest%/*}/conda-meta ]] } || return 1
        ;;
      path-replace)
        [[ $__alight_rest == /*:/* && ${__alight_rest#*:} != *:* && ${__alight_rest#*:} != ${__alight_rest%:*} ]] &&
          [[ ${__alight_rest#*:} -ef $__alight_prefix/bin ]] || return 1
        ;;
      path-remove | conda-pop) [[ $__alight_rest == /* && $__alight_rest != *:* ]] || return 1 ;;
      run | on-leave | after-leave) __alight_is_place || return 1 ;;
      *) return 1 ;;
    esac
  done
}

# Whether the file of an operation lies where that operation may source it: in the environment to be entered, in one that
# is on, or in the one below it.
__alight_is_place() {
  local __alight_home __alight_folder=${__alight_rest%/*} __alight_name=${__alight_rest##*/}
  local -a __alight_homes
  [[ $__alight_rest == /*[^/] ]] || return 1
  __alight_look_at_stack
  __alight_homes=("$__alight_applied" "${VIRTUAL_ENV-}" "${CONDA_PREFIX-}" "$__alight_below")
  [[ $__alight_action != enter ]] || __alight_homes+=("$__alight_prefix")
  for __alight_home in "${(@)__alight_homes}"; do
    [[ $__alight_home == /?* ]] || continue
    case $__alight_verb in
      run | after-leave) [[ ! $__alight_folder -ef $__alight_home/etc/conda/activate.d ]] || return 0 ;|
      run | on-leave) [[ ! $__alight_folder -ef $__alight_home/etc/conda/deactivate.d ]] || return 0 ;|
      *) [[ $__alight_folder -ef $__alight_home/bin || $__alight_folder -ef ${__alight_home%/*}/ ]] || continue ;;
    esac
    case $__alight_verb:$__alight_name in
      run:postactivate | on-leave:predeactivate | after-leave:postdeactivate) return 0 ;;
    esac
  done
  return 1
}

# Returns 1 when Ctrl-C has ended a script.
__alight_apply() {
  local __alight_each __alight_verb __alight_rest __alight_name
  for __alight_each; do
    __alight_verb=${__alight_each%% *} __alight_rest=${__alight_each#* }
    __alight_name=${__alight_rest%%=*}
    if [[ $__alight_verb == save ]]; then
      __alight_verb=${__alight_rest#*=}
      (( ${(P)+__alight_verb} )) || continue
      __alight_rest=$__alight_name=${(P)__alight_verb} __alight_verb=set
    fi
    if [[ $__alight_verb == (set|unset) && -z ${__alight_was[$__alight_name]-} ]]; then
      if (( ! ${(P)+__alight_name} )); then
        [[ $__alight_verb == set ]] || continue
        __alight_was[$__alight_name]=unset
      else
        __alight_former[$__alight_name]=${(P)__alight_name}
        [[ ${parameters[$__alight_name]} == *export* ]] && __alight_was[$__alight_name]=exported || __alight_was[$__alight_name]=set
      fi
    fi
    case $__alight_verb in
      set)
        __alight_ours[$__alight_name]=${__alight_rest#*=}
        typeset -gx -- "$__alight_name=${__alight_rest#*=}"
        ;;
      unset)
        __alight_ours[$__alight_name]= __alight_unset[$__alight_name]=1
        unset $__alight_name
        ;;
      drop) unset $__alight_name ;;
      path-remove) path=("${(@)path:#$__alight_rest}") ;;
      path-add)
        __alight_added+=("$__alight_rest")
        [[ $__alight_rest == */condabin ]] || __alight_entry=$__alight_rest
        path=("$__alight_rest" "${(@)path}")
        ;;
      path-replace)
        __alight_name=${__alight_rest%:*}
        if (( ${path[(Ie)$__alight_name]} )); then
          __alight_added+=("$__alight_rest")
          __alight_entry=${__alight_rest#*:}
          path[${path[(ie)$__alight_name]}]=$__alight_entry
          path=("${(@)path:#$__alight_name}")
        else
          __alight_entry=${__alight_rest#*:}
          __alight_added+=("$__alight_entry")
          path=("$__alight_entry" "${(@)path}")
        fi
        ;;
      conda-pop) [[ ${CONDA_PREFIX-} != $__alight_rest ]] || __alight_pop ;;
      run)
        __alight_unfinished=script
        __alight_source $__alight_rest || return 1
        __alight_unfinished=1
        ;;
      on-leave) __alight_on_leave+=("$__alight_rest") __alight_scripts=1 ;;
      after-leave) __alight_after_leave+=("$__alight_rest") __alight_scripts=1 ;;
    esac
  done
}

# Whether a folder with scripts is one of the environment that the stamp is about.
__alight_is_approved() {
  [[ $1 -ef $__alight_approved/bin || $1 -ef $__alight_approved/etc/conda/activate.d ||
    $1 -ef $__alight_approved/etc/conda/deactivate.d ]]
}

# Sources a file of the environment's own: a regular one, ours or root's, that nobody else can write and that, in the
# approved environment, has not changed since the approval. It runs under the user's options but for errexit and nounset, and what it does to
# options, and its `exit`, ends with it. Returns 1 when Ctrl-C has ended it.
__alight_source() {
  local -a __alight_on
  __alight_on=($1(N.u0f:go-w:) $1(N.Uf:go-w:))
  (( $#__alight_on )) || return 0
  [[ -f $__alight_stamp && -O $__alight_stamp && ! -L $__alight_stamp && -O ${__alight_stamp:h} ]] || return 0
  [[ ! $1 -nt $__alight_stamp ]] || ! __alight_is_approved ${1%/*} || return 0
  ! zle || { zle -I && __alight_redrawn=1 }
  local __alight_exit=${functions[exit]-} __alight_subshell=$ZSH_SUBSHELL
  local -i __alight_ended=0
  __alight_on=("${(@k)options[(R)on]}")
  {
    exit() {
      [[ $ZSH_SUBSHELL == $__alight_subshell ]] || builtin exit "$@"
      # An error without a message, which ends the script and is over in the `always` below.
      local -r __alight_end=
      __alight_end=1 2>/dev/null
    }
    unsetopt ${__alight_on:|__alight_options}
    setopt ${__alight_options:|__alight_on} no_err_exit no_err_return unset no_xtrace
    builtin source "$1" '' || builtin true
  } always {
    emulate -L zsh -o no_err_exit -o no_err_return -o unset -o no_xtrace -o no_warn_create_global
    __alight_ended=$TRY_BLOCK_INTERRUPT
    TRY_BLOCK_ERROR=0 TRY_BLOCK_INTERRUPT=0
    unset -f exit
    [[ -z $__alight_exit ]] || functions[exit]=$__alight_exit
  }
  return __alight_ended
}

# --- the prompt ----------------------------------------------------------------------------------

# Asks by the question that __alight_look has put together; $1 is as there. Returns 1 when there is no answer.
__alight_ask() {
  (( ${#${(j::)__alight_variables}} <= 16000 )) || __alight_trim
  __alight_exchange ask zsh $$ "$PWD" $__alight_switch "$__alight_owner" "$__alight_applied" "$__alight_declined" \
    $1 $__alight_new "${(@)__alight_variables}"
  case $? in
    0) return 0 ;;
    3) __alight_spawn ;;
    4) __alight_open_until=$(( EPOCHSECONDS + 30 )) __alight_dirty=1 ;;
    5) __alight_open_until=$(( EPOCHSECONDS + 60 )) __alight_dirty=1 ;;
  esac
  return 1
}

# Keeps the answer that __alight_look has just applied, by the question.
__alight_remember() {
  local __alight_plain=
  (( $#__alight_memory < 64 )) || __alight_memory=()
  # What entering a venv is nearly always.
  [[ $__alight_reply[2] == enter && $__alight_reply[20] == "set VIRTUAL_ENV=$__alight_reply[4]" &&
    $__alight_reply[21] == set\ VIRTUAL_ENV_PROMPT=* && $__alight_reply[-1] == "path-add $__alight_reply[4]/bin" &&
    ( $#__alight_reply == 22 || $#__alight_reply == 23 && $__alight_reply[22] == unset\ PYTHONHOME ) ]] && __alight_plain=1
  __alight_memory[$__alight_key]=${__alight_memory[$__alight_key]:-$(( $#__alight_memory + 1 ))}
  set -A __alight_kept_$__alight_memory[$__alight_key] \
    $EPOCHSECONDS "$__alight_signature_seen" "$__alight_mark" \
    "$__alight_old_1" "$__alight_old_2" "$__alight_old_3" "$__alight_old_4" \
    "$__alight_absent_1" "$__alight_absent_2" "$__alight_absent_3" "$__alight_absent_4" \
    "$__alight_plain" "${(@)__alight_reply}"
}

# Leaves out what is longer than a daemon takes.
__alight_trim() {
  local one
  local -a kept
  for one in "${(@)__alight_variables}"; do
    (( $#one <= 8192 )) || [[ $one == PATH=* && $#one -le 16000 ]] || continue
    kept+=("$one")
  done
  __alight_variables=("${(@)kept}")
}

# Whether the user has switched off what is applied by other means than ours. Another environment on top is no such word.
__alight_is_off() {
  if [[ -n $__alight_conda ]]; then
    [[ ${CONDA_PREFIX-} != $__alight_conda ]] || return 1
    __alight_look_at_stack
    [[ -z ${CONDA_PREFIX-} ]] || (( __alight_level < __alight_entered_at ))
  elif [[ -n $__alight_entry ]]; then
    (( ! ${path[(Ie)$__alight_entry]} ))
  else
    [[ -z ${VIRTUAL_ENV-} ]]
  fi
}

# Without an answer the shell still must not keep an environment that is gone or of a project it has left.
__alight_alone() {
  [[ -n $__alight_applied ]] || return 0
  if [[ $__alight_root == / || $PWD == $__alight_root || $PWD == $__alight_root/* ]] &&
    [[ -e $__alight_sign ]]; then
    return 0
  fi
  __alight_leave
  __alight_owner=
  __alight_show_none
}

# Starts the daemon, at most once in ten seconds. The pipe ends when it serves; zle then asks and redraws by itself.
__alight_spawn() {
  __alight_dirty=1
  (( EPOCHSECONDS - __alight_spawned >= 10 )) || return 0
  [[ -x $__alight_python && -r $__alight_client && -x $__alight_daemon_python ]] || return 0
  __alight_spawned=$EPOCHSECONDS
  local -i fd
  exec {fd}< <(exec $__alight_python -I -S ${__alight_client:h}/query.py spawn $__alight_runtime $__alight_daemon_python 2>/dev/null </dev/null)
  __alight_waiting=$fd
  zle -F $fd __alight_started 2>/dev/null || __alight_stop_waiting
}

__alight_stop_waiting() {
  (( __alight_waiting >= 0 )) || return 0
  zle -F $__alight_waiting 2>/dev/null
  local -i fd=$__alight_waiting
  __alight_waiting=-1
  exec {fd}<&-
}

__alight_started() {
  __alight_stop_waiting
  __alight_plainly __alight_refresh
}

# Asks again while the user looks at the prompt, and redraws it; a half-typed command stays as it is.
__alight_refresh() {
  local __alight_before=${ALIGHT_PROMPT-}:${ALIGHT_STATE-}:${VIRTUAL_ENV-}:${CONDA_PREFIX-}
  __alight_dirty=1 __alight_redrawn=0
  __alight_look 0
  if [[ ${ALIGHT_PROMPT-}:${ALIGHT_STATE-}:${VIRTUAL_ENV-}:${CONDA_PREFIX-} != $__alight_before ]]; then
    (( __alight_redrawn )) || { zle .reset-prompt 2>/dev/null && zle -R }
  fi
}

__alight_listen() {
  (( __alight_fd >= 0 )) || return 0
  if [[ -o zle ]] && zle -F $__alight_fd __alight_news; then
    __alight_heard=1
  else
    __alight_close
  fi
}

__alight_news() {
  __alight_close
  [[ -n ${2-} ]] || __alight_plainly __alight_refresh
}

# Where nobody was asked, the connection for news is made once nothing is typed for 30 ms, not while the user waits for the
# prompt to appear or types ahead. Under the user's options, since the first key of the next line waits for this to end.
__alight_idle() {
  zle -F "$__alight_null"
  __alight_idle=0
  zselect -A __alight_waited -t 3 -r 0 || __alight_connect || return 0
}

__alight_connect() {
  emulate -L zsh -o no_err_exit -o no_err_return -o unset -o no_xtrace -o no_warn_create_global
  (( __alight_fd < 0 && EPOCHSECONDS >= __alight_open_until )) || return 0
  __alight_exchange listen "$PWD" "$__alight_root" "${__alight_signature_seen%:*}" && __alight_listen
}

# Nearly every prompt ends here, having compared what it depends on; only then is it worth to shut out the user's options.
# No call is made on the way: each one costs zsh a fresh piece of memory, as much as four looks at the disk.
__alight_precmd() {
  local -i __alight_code=$?
  if [[ "$__alight_dirty|${ALIGHT_DISABLE-}|$__alight_switch|$PWD|${VIRTUAL_ENV-}|${CONDA_PREFIX-}" == "$__alight_session_seen" &&
    "$PATH" == "$__alight_seen_path" && ( -z "$__alight_seen_1" && ! (
    -v WORKON_HOME || -v PIPENV_PIPFILE || -v PIPENV_VENV_IN_PROJECT || -v PIPENV_CUSTOM_VENV_NAME || -v PIPENV_PYTHON ||
    -v POETRY_VIRTUALENVS_PATH || -v POETRY_VIRTUALENVS_IN_PROJECT || -v PDM_PYTHON || -v PDM_IGNORE_SAVED_PYTHON ||
    -v PDM_USE_VENV || -v PDM_VENV_IN_PROJECT || -v HATCH_ENV || -v UV_PROJECT_ENVIRONMENT || -v PYENV_ROOT ||
    -v PYENV_VERSION || -v ASDF_PYTHON_VERSION || -v DIRENV_DIR ) ||
    "${WORKON_HOME-}|${PIPENV_PIPFILE-}|${PIPENV_VENV_IN_PROJECT-}|${PIPENV_CUSTOM_VENV_NAME-}|${PIPENV_PYTHON-}" == "$__alight_seen_1" &&
    "${POETRY_VIRTUALENVS_PATH-}|${POETRY_VIRTUALENVS_IN_PROJECT-}|${PDM_PYTHON-}|${PDM_IGNORE_SAVED_PYTHON-}" == "$__alight_seen_2" &&
    "${PDM_USE_VENV-}|${PDM_VENV_IN_PROJECT-}|${HATCH_ENV-}|${UV_PROJECT_ENVIRONMENT-}|${PYENV_ROOT-}" == "$__alight_seen_3" &&
    "${PYENV_VERSION-}|${ASDF_PYTHON_VERSION-}|${DIRENV_DIR-}" == "$__alight_seen_4" ) ]]; then
    if [[ -n "$__alight_mark" && -r "$__alight_generation" && "$(<"$__alight_generation")" == "$__alight_mark" &&
      ( -z "$__alight_old_1" || "$__alight_old_1" -ot "$__alight_generation" ) && ( -z "$__alight_absent_1" || ! -e "$__alight_absent_1" ) &&
      ( -z "$__alight_old_2" || "$__alight_old_2" -ot "$__alight_generation" ) && ( -z "$__alight_absent_2" || ! -e "$__alight_absent_2" ) &&
      ( -z "$__alight_old_3" || "$__alight_old_3" -ot "$__alight_generation" ) && ( -z "$__alight_absent_3" || ! -e "$__alight_absent_3" ) &&
      ( -z "$__alight_old_4" || "$__alight_old_4" -ot "$__alight_generation" ) && ( -z "$__alight_absent_4" || ! -e "$__alight_absent_4" ) ]] ||
      { local REPLY; __alight_signature; [[ "$REPLY" == "$__alight_signature_seen" ]] }; then
      [[ "$__alight_wants_segment" != 1 || "${PROMPT-}" == *"%${__alight_slot}v"* ]] || __alight_segment
      # Others may call the prompt's hooks, too: one descriptor at a time.
      if [[ -o zle && "$__alight_idle" == 0 && "$__alight_fd" == -1 ]]; then
        zle -F "$__alight_null" __alight_idle && __alight_idle=1
      fi
      return 0
    fi
  fi
  [[ "$__alight_scripts" != 1 ]] && __alight_look $__alight_code || __alight_plainly __alight_look $__alight_code
  # The shell keeps `$?` by itself; under errexit another status than 0 would end it.
  return 0
}

# Asks and applies, or applies what was answered to the very same question less than 30 s ago, if the mark and the
# witnesses of that answer are as they were: the same test that a prompt makes where nothing was asked. Not after anything
# that the user said to us. $1 is the status of the last command. A shell that has the function `deactivate` did not inherit
# what is on: it was switched on right here, by a start-up file. Returns 2, having done nothing that would not be done
# again, when the user's options have to be known.
__alight_look() {
  emulate -L zsh -o no_err_exit -o no_err_return -o unset -o no_xtrace -o no_warn_create_global
  [[ $sysparams[pid] == $__alight_pid && $ZSH_SUBSHELL == 0 && ${ALIGHT_DISABLE-} != 1 ]] || return 0
  [[ $__alight_switch != off ]] || return 0
  [[ $__alight_chained == 1 && -z $__alight_unsaved ]] || (( ! $+functions[__alight_chain] )) || __alight_chain
  [[ -z $__alight_unfinished ]] || __alight_undo_unfinished
  [[ -z $__alight_applied || -e $__alight_sign ]] || {
    __alight_leave
    __alight_owner=
    __alight_show_none
  }
  [[ -z $__alight_applied || -n ${VIRTUAL_ENV-} && -z $__alight_conda$__alight_entry ]] || ! __alight_is_off || {
    # With a function that is not ours: that is as clear a word.
    __alight_leave
    __alight_owner= __alight_declined=${__alight_root:--}
  }
  local __alight_code=$1 __alight_forced=$__alight_dirty __alight_rare=1 __alight_new=0 __alight_key __alight_remembered \
    __alight_from __alight_outcome=1 __alight_signed __alight_plain __alight_action __alight_prefix __alight_there __alight_at \
    __alight_text REPLY
  local -a __alight_variables __alight_operations
  if (( EPOCHSECONDS < __alight_open_until )); then
    __alight_dirty=1
    __alight_alone
  else
    __alight_dirty=0 __alight_rare=0
    # In one piece: a loop over the names would take longer than the whole exchange. First what many shells have set, then
    # what few have; to find that there is none of it is quicker than to put nothing together.
    __alight_variables=(
      ${PATH+"PATH=$PATH"} ${VIRTUAL_ENV+"VIRTUAL_ENV=$VIRTUAL_ENV"}
      ${VIRTUAL_ENV_PROMPT+"VIRTUAL_ENV_PROMPT=$VIRTUAL_ENV_PROMPT"} ${CONDA_PREFIX+"CONDA_PREFIX=$CONDA_PREFIX"}
      ${CONDA_DEFAULT_ENV+"CONDA_DEFAULT_ENV=$CONDA_DEFAULT_ENV"} ${CONDA_SHLVL+"CONDA_SHLVL=$CONDA_SHLVL"}
      ${TERM_PROGRAM+"TERM_PROGRAM=$TERM_PROGRAM"} ${CONDA_EXE+"CONDA_EXE=$CONDA_EXE"}
      ${_CONDA_ROOT+"_CONDA_ROOT=$_CONDA_ROOT"} ${MAMBA_EXE+"MAMBA_EXE=$MAMBA_EXE"}
      ${MAMBA_ROOT_PREFIX+"MAMBA_ROOT_PREFIX=$MAMBA_ROOT_PREFIX"} ${PYENV_ROOT+"PYENV_ROOT=$PYENV_ROOT"}
      ${XDG_DATA_HOME+"XDG_DATA_HOME=$XDG_DATA_HOME"} ${XDG_CACHE_HOME+"XDG_CACHE_HOME=$XDG_CACHE_HOME"}
      ${XDG_CONFIG_HOME+"XDG_CONFIG_HOME=$XDG_CONFIG_HOME"} ${HOME+"HOME=$HOME"}
    )
    [[ -v VIRTUAL_ENV_DISABLE_PROMPT || -v CONDA_PREFIX_1 || -v CONDA_PREFIX_2 || -v CONDA_CHANGEPS1 || -v PYTHONHOME ||
      -v PKG_CONFIG_PATH || -v PYENV_VIRTUAL_ENV || -v PYENV_ACTIVATE_SHELL || -v POETRY_ACTIVE || -v PIPENV_ACTIVE ||
      -v HATCH_ENV_ACTIVE || -v PIXI_IN_SHELL || -v DIRENV_DIR || -v DIRENV_DIFF || -v __MISE_DIFF || -v CONDA_ENVS_DIRS ||
      -v CONDA_ENVS_PATH || -v CONDARC || -v WORKON_HOME || -v VIRTUALFISH_HOME || -v PIPENV_PIPFILE ||
      -v PIPENV_VENV_IN_PROJECT || -v PIPENV_CUSTOM_VENV_NAME || -v PIPENV_PYTHON || -v PIPENV_MAX_DEPTH ||
      -v POETRY_VIRTUALENVS_PATH || -v POETRY_VIRTUALENVS_IN_PROJECT || -v POETRY_CACHE_DIR || -v POETRY_CONFIG_DIR ||
      -v PDM_PYTHON || -v PDM_IGNORE_SAVED_PYTHON || -v PDM_USE_VENV || -v PDM_VENV_IN_PROJECT || -v PDM_CONFIG_FILE ||
      -v HATCH_DATA_DIR || -v HATCH_CONFIG || -v HATCH_ENV || -v HATCH_ENV_TYPE_VIRTUAL_PATH || -v UV_PROJECT_ENVIRONMENT ||
      -v UV_PYTHON_INSTALL_DIR || -v UV_CACHE_DIR || -v PYENV_VERSION || -v PIXI_HOME || -v MISE_DATA_DIR || -v ASDF_DATA_DIR ||
      -v ASDF_PYTHON_VERSION ]] && {
      __alight_rare=1
      __alight_variables+=(
        ${VIRTUAL_ENV_DISABLE_PROMPT+"VIRTUAL_ENV_DISABLE_PROMPT=$VIRTUAL_ENV_DISABLE_PROMPT"}
        ${CONDA_PREFIX_1+"CONDA_PREFIX_1=$CONDA_PREFIX_1"} ${CONDA_PREFIX_2+"CONDA_PREFIX_2=$CONDA_PREFIX_2"}
        ${CONDA_CHANGEPS1+"CONDA_CHANGEPS1=$CONDA_CHANGEPS1"} ${PYTHONHOME+"PYTHONHOME=$PYTHONHOME"}
        ${PKG_CONFIG_PATH+"PKG_CONFIG_PATH=$PKG_CONFIG_PATH"} ${PYENV_VIRTUAL_ENV+"PYENV_VIRTUAL_ENV=$PYENV_VIRTUAL_ENV"}
        ${PYENV_ACTIVATE_SHELL+"PYENV_ACTIVATE_SHELL=$PYENV_ACTIVATE_SHELL"} ${POETRY_ACTIVE+"POETRY_ACTIVE=$POETRY_ACTIVE"}
        ${PIPENV_ACTIVE+"PIPENV_ACTIVE=$PIPENV_ACTIVE"} ${HATCH_ENV_ACTIVE+"HATCH_ENV_ACTIVE=$HATCH_ENV_ACTIVE"}
        ${PIXI_IN_SHELL+"PIXI_IN_SHELL=$PIXI_IN_SHELL"} ${DIRENV_DIR+"DIRENV_DIR=$DIRENV_DIR"}
        ${DIRENV_DIFF+"DIRENV_DIFF=$DIRENV_DIFF"} ${__MISE_DIFF+"__MISE_DIFF=$__MISE_DIFF"}
        ${CONDA_ENVS_DIRS+"CONDA_ENVS_DIRS=$CONDA_ENVS_DIRS"} ${CONDA_ENVS_PATH+"CONDA_ENVS_PATH=$CONDA_ENVS_PATH"}
        ${CONDARC+"CONDARC=$CONDARC"} ${WORKON_HOME+"WORKON_HOME=$WORKON_HOME"}
        ${VIRTUALFISH_HOME+"VIRTUALFISH_HOME=$VIRTUALFISH_HOME"} ${PIPENV_PIPFILE+"PIPENV_PIPFILE=$PIPENV_PIPFILE"}
        ${PIPENV_VENV_IN_PROJECT+"PIPENV_VENV_IN_PROJECT=$PIPENV_VENV_IN_PROJECT"}
        ${PIPENV_CUSTOM_VENV_NAME+"PIPENV_CUSTOM_VENV_NAME=$PIPENV_CUSTOM_VENV_NAME"}
        ${PIPENV_PYTHON+"PIPENV_PYTHON=$PIPENV_PYTHON"} ${PIPENV_MAX_DEPTH+"PIPENV_MAX_DEPTH=$PIPENV_MAX_DEPTH"}
        ${POETRY_VIRTUALENVS_PATH+"POETRY_VIRTUALENVS_PATH=$POETRY_VIRTUALENVS_PATH"}
        ${POETRY_VIRTUALENVS_IN_PROJECT+"POETRY_VIRTUALENVS_IN_PROJECT=$POETRY_VIRTUALENVS_IN_PROJECT"}
        ${POETRY_CACHE_DIR+"POETRY_CACHE_DIR=$POETRY_CACHE_DIR"} ${POETRY_CONFIG_DIR+"POETRY_CONFIG_DIR=$POETRY_CONFIG_DIR"}
        ${PDM_PYTHON+"PDM_PYTHON=$PDM_PYTHON"} ${PDM_IGNORE_SAVED_PYTHON+"PDM_IGNORE_SAVED_PYTHON=$PDM_IGNORE_SAVED_PYTHON"}
        ${PDM_USE_VENV+"PDM_USE_VENV=$PDM_USE_VENV"} ${PDM_VENV_IN_PROJECT+"PDM_VENV_IN_PROJECT=$PDM_VENV_IN_PROJECT"}
        ${PDM_CONFIG_FILE+"PDM_CONFIG_FILE=$PDM_CONFIG_FILE"} ${HATCH_DATA_DIR+"HATCH_DATA_DIR=$HATCH_DATA_DIR"}
        ${HATCH_CONFIG+"HATCH_CONFIG=$HATCH_CONFIG"} ${HATCH_ENV+"HATCH_ENV=$HATCH_ENV"}
        ${HATCH_ENV_TYPE_VIRTUAL_PATH+"HATCH_ENV_TYPE_VIRTUAL_PATH=$HATCH_ENV_TYPE_VIRTUAL_PATH"}
        ${UV_PROJECT_ENVIRONMENT+"UV_PROJECT_ENVIRONMENT=$UV_PROJECT_ENVIRONMENT"}
        ${UV_PYTHON_INSTALL_DIR+"UV_PYTHON_INSTALL_DIR=$UV_PYTHON_INSTALL_DIR"} ${UV_CACHE_DIR+"UV_CACHE_DIR=$UV_CACHE_DIR"}
        ${PYENV_VERSION+"PYENV_VERSION=$PYENV_VERSION"} ${PIXI_HOME+"PIXI_HOME=$PIXI_HOME"}
        ${MISE_DATA_DIR+"MISE_DATA_DIR=$MISE_DATA_DIR"} ${ASDF_DATA_DIR+"ASDF_DATA_DIR=$ASDF_DATA_DIR"}
        ${ASDF_PYTHON_VERSION+"ASDF_PYTHON_VERSION=$ASDF_PYTHON_VERSION"}
      )
    }
    [[ $__alight_first == 0 ]] || (( $+functions[deactivate] )) || __alight_new=1
    __alight_key="$PWD|$__alight_switch|$__alight_owner|$__alight_applied|$__alight_declined|$__alight_new|${(pj:\0:)__alight_variables}"
    __alight_remembered=${__alight_memory[$__alight_key]-}
    # Each is tried in turn until a plan was taken over whole; `continue` is for one that is not as it should be.
    for __alight_from in memory daemon; do
      if [[ $__alight_from == memory ]]; then
        [[ -n $__alight_remembered && $__alight_forced == 0 ]] || continue
        set -- "${(@P)${:-__alight_kept_$__alight_remembered}}"
        __alight_mark=$3 __alight_generation=${26}
        __alight_old_1=$4 __alight_old_2=$5 __alight_old_3=$6 __alight_old_4=$7
        __alight_absent_1=$8 __alight_absent_2=$9 __alight_absent_3=${10} __alight_absent_4=${11}
        (( EPOCHSECONDS - $1 < 30 && EPOCHSECONDS >= $1 )) &&
          [[ -n $3 && -r ${26} && $(<${26}) == $3 && ( -z $4 || $4 -ot ${26} ) && ( -z $8 || ! -e $8 ) &&
            ( -z $5 || $5 -ot ${26} ) && ( -z $9 || ! -e $9 ) && ( -z $6 || $6 -ot ${26} ) && ( -z ${10} || ! -e ${10} ) &&
            ( -z $7 || $7 -ot ${26} ) && ( -z ${11} || ! -e ${11} ) ]] || continue
        __alight_signed=$2 __alight_plain=${12}
        shift 12
      else
        # Not where Ctrl-C has left the remembered one half applied.
        [[ -z $__alight_unfinished ]] || break
        __alight_signed= __alight_plain=
        __alight_ask $__alight_code || break
        set -- "${(@)__alight_reply}"
      fi

      # The fields of the plan from the verb on.
      [[ $1 == plan ]] && (( $# >= 19 )) || continue
      __alight_action=$2 __alight_prefix=$4 __alight_bare=1
      [[ ( -z $3 || $3 == /* ) && ( -z $4 || $4 == /* ) && ( -z ${14} || ${14} == $__alight_runtime/* ) ]] || continue
      [[ -z $__alight_plain ]] || {
        # These very ones were found in order less than 30 s ago: VIRTUAL_ENV, VIRTUAL_ENV_PROMPT, perhaps `unset PYTHONHOME`, and
        # the entry in PATH.
        [[ ${(t)VIRTUAL_ENV}${(t)VIRTUAL_ENV_PROMPT}${(t)PYTHONHOME} != *(array|association|integer|float|special|readonly)* ]] ||
          continue
        __alight_bare=0
      }
      (( ! $#__alight_operations )) || __alight_operations=()
      [[ -n $__alight_plain || $# == 19 ]] || {
        __alight_operations=("${(@)@[20,-1]}")
        __alight_valid $__alight_action "$__alight_prefix" "${(@)__alight_operations}" || continue
        (( $+__alight_options || ! ${__alight_operations[(I)run *]} )) || {
          __alight_dirty=$__alight_forced
          return 2
        }
      }
      # What was found in order less than 30 s ago is so while it is there and the user's own.
      __alight_there=
      [[ -n $__alight_plain && -O $6 && ! -L $6 && -O ${6:h} && -d $__alight_prefix/bin && -O $__alight_prefix/pyvenv.cfg ]] &&
        __alight_there=$__alight_prefix/pyvenv.cfg
      [[ -n $__alight_there ||
        $__alight_action != enter && ( $__alight_action != (keep|adopt) || -z $6 || $6 == $__alight_stamp ) ]] || {
        [[ $6 == /*/alight/trust/*.json && ${#${6:t:r}} == 64 && ${6:t:r} != *[^0-9a-f]* ]] || continue
        [[ -f $6 && -O $6 && ! -L $6 && -O ${6:h} ]] || continue
      }
      [[ -n $__alight_there || $__alight_action != enter ]] || {
        # A reply can at most choose among environments that this shell finds to be the user's own, or root's, which are
        # those that we cannot write.
        [[ $__alight_prefix == /* && $__alight_prefix != *:* && -d $__alight_prefix/bin ]] || continue
        __alight_there=$__alight_prefix/pyvenv.cfg
        [[ -f $__alight_there ]] || __alight_there=$__alight_prefix/conda-meta
        [[ -e $__alight_there ]] || (( ! __alight_bare )) || __alight_there=$__alight_prefix/bin/python
        [[ -O $__alight_there || -e $__alight_there && ! -w $__alight_there ]] || continue
      }
      [[ -z $__alight_applied || $__alight_action != (enter|leave|clean) ]] || {
        if (( __alight_simple && ! __alight_scripts )) && [[ $__alight_applied != *:* && -z ${_OLD_VIRTUAL_PATH-} ]]; then
          # What __alight_leave would do where two variables and an entry are all that was switched on.
          __alight_unfinished=1 __alight_session_seen=
          [[ ${VIRTUAL_ENV-} != $__alight_applied ]] || unset VIRTUAL_ENV
          [[ ${VIRTUAL_ENV_PROMPT-} != $__alight_ours[VIRTUAL_ENV_PROMPT] ]] || unset VIRTUAL_ENV_PROMPT
          __alight_at=${path[(ie)$__alight_applied/bin]}
          (( __alight_at > $#path )) || path[__alight_at]=()
          # For the next one it may stay.
          [[ $__alight_action == enter || $__alight_deactivate_is_ours == 0 ]] || {
            [[ ${functions[deactivate]-} != *__alight_deactivate* ]] || unset -f deactivate
            __alight_deactivate_is_ours=0
          }
          __alight_ours=() __alight_was=() __alight_added=() \
            __alight_applied= __alight_sign= __alight_entry= __alight_simple=0 __alight_unfinished=
        else
          __alight_leave
        fi
      }
      case $__alight_action in
        keep)
          if [[ -n $__alight_applied ]]; then
            __alight_stamp=${6:-$__alight_stamp} __alight_on_leave=() __alight_after_leave=() __alight_scripts=0
            (( ! $#__alight_operations )) || __alight_apply "${(@)__alight_operations}"
          fi
          ;;
        adopt)
          __alight_leave forget
          __alight_applied=$__alight_prefix __alight_adopted=1 __alight_adopted_as=${VIRTUAL_ENV-}:${CONDA_PREFIX-}
          __alight_stamp=$6 __alight_approved=$__alight_prefix __alight_sign=$__alight_prefix/pyvenv.cfg
          [[ -f $__alight_sign ]] || __alight_sign=$__alight_prefix/conda-meta
          [[ -n ${VIRTUAL_ENV-} ]] || __alight_conda=${CONDA_PREFIX-}
          __alight_look_at_stack
          __alight_entered_at=$__alight_level
          __alight_apply "${(@)__alight_operations}"
          ;;
        enter)
          # From here on the record tells how to undo what Ctrl-C leaves half done.
          __alight_unfinished=1 __alight_session_seen=
          __alight_applied=$__alight_prefix __alight_sign=$__alight_there __alight_stamp=$6
          __alight_approved=$__alight_prefix __alight_root=$3
          if [[ -n $__alight_plain && ! ( -v VIRTUAL_ENV || -v VIRTUAL_ENV_PROMPT || -v PYTHONHOME ) ]]; then
            # What __alight_apply would do, were it to look at each.
            __alight_simple=1 __alight_ours=(VIRTUAL_ENV $__alight_prefix VIRTUAL_ENV_PROMPT "${21#*=}") \
              __alight_was=(VIRTUAL_ENV unset VIRTUAL_ENV_PROMPT unset) __alight_added=($__alight_prefix/bin)
            typeset -gx VIRTUAL_ENV=$__alight_prefix VIRTUAL_ENV_PROMPT=$__alight_ours[VIRTUAL_ENV_PROMPT]
            PATH=$__alight_prefix/bin${PATH:+:$PATH}
          else
            __alight_apply "${(@)@[20,-1]}" || continue
          fi
          (( $+functions[deactivate] )) || {
            deactivate() { __alight_plainly __alight_deactivate "$@" }
            __alight_deactivate_is_ours=1
          }
          __alight_conda=${__alight_ours[CONDA_PREFIX]-}
          (( __alight_bare )) || __alight_entry=
          [[ -z $__alight_conda ]] || {
            __alight_look_at_stack
            __alight_entered_at=$__alight_level
          }
          __alight_unfinished=
          ;;
        leave) ;;
        clean)
          (( ! ${__alight_operations[(Ie)drop VIRTUAL_ENV]} || ! $+functions[deactivate] )) || deactivate
          __alight_apply "${(@)__alight_operations}"
          ;;
        *) continue ;;
      esac
      __alight_root=$3 __alight_owner=$5
      [[ -z $__alight_declined || ${__alight_root:--} == $__alight_declined ]] || {
        __alight_declined=
        [[ $__alight_switch != paused ]] || __alight_switch=on
      }
      __alight_generation=${14} __alight_wants_segment=${12}
      __alight_witness_1=${16} __alight_witness_2=${17} __alight_witness_3=${18} __alight_witness_4=${19}
      [[ "$__alight_adopted|$7|$8|$9|${10}|${11}" == "$__alight_shown" ]] || {
        __alight_shown="$__alight_adopted|$7|$8|$9|${10}|${11}" __alight_text=${11}
        # Whoever switched an adopted environment on has put the name into the prompt already.
        [[ $__alight_adopted == 0 || -n $__alight_conda && -z ${CONDA_PROMPT_MODIFIER-} ||
          -z $__alight_conda && -n ${VIRTUAL_ENV_DISABLE_PROMPT-} ]] || __alight_text=
        typeset -gx ALIGHT_STATE=$7 ALIGHT_ENV_NAME=$8 ALIGHT_ENV_KIND=$9 ALIGHT_PYTHON_VERSION=${10} ALIGHT_PROMPT=$__alight_text
        (( ! __alight_slot )) || psvar[__alight_slot]=${__alight_text//\%\%/%}
      }
      [[ -z ${13} ]] || __alight_say "${13}"
      __alight_signature_seen=$__alight_signed __alight_outcome=0
      [[ -n $__alight_signed ]] || {
        __alight_signature
        # News that came between the reply and now must not be lost: the reply's own mark counts, not the file's.
        __alight_signature_seen=${15}:${REPLY#*:}
        __alight_sort
      }
      break
    done
    [[ $__alight_from == memory || $#__alight_reply == 0 ]] || {
      __alight_first=0
      (( __alight_outcome )) || __alight_remember
    }
    (( ! __alight_outcome )) || {
      # That was Ctrl-C in a script: it is undone, and asked again.
      [[ -z $__alight_unfinished ]] || { __alight_look $__alight_code; return }
      __alight_alone
      __alight_signature
      __alight_signature_seen=$REPLY __alight_mark=
    }
    # News is heard on the connection that was asked by; where nobody was, on one that is made when the user is idle.
    (( __alight_fd < 0 )) || __alight_listen
    [[ ! -o zle || "$__alight_outcome$__alight_idle$__alight_fd" != 00-1 ]] || { zle -F $__alight_null __alight_idle && __alight_idle=1 }
  fi
  # What an answer depends on. In pieces: zsh copies the whole of a string for each variable in it.
  __alight_session_seen="$__alight_dirty|${ALIGHT_DISABLE-}|$__alight_switch|$PWD|${VIRTUAL_ENV-}|${CONDA_PREFIX-}"
  __alight_seen_path=$PATH __alight_seen_1=
  # What was set since the question was put together is found at the next prompt.
  if [[ ( $__alight_rare == 1 || -v PYENV_ROOT ) && (
    -v WORKON_HOME || -v PIPENV_PIPFILE || -v PIPENV_VENV_IN_PROJECT || -v PIPENV_CUSTOM_VENV_NAME || -v PIPENV_PYTHON ||
    -v POETRY_VIRTUALENVS_PATH || -v POETRY_VIRTUALENVS_IN_PROJECT || -v PDM_PYTHON || -v PDM_IGNORE_SAVED_PYTHON ||
    -v PDM_USE_VENV || -v PDM_VENV_IN_PROJECT || -v HATCH_ENV || -v UV_PROJECT_ENVIRONMENT || -v PYENV_ROOT ||
    -v PYENV_VERSION || -v ASDF_PYTHON_VERSION || -v DIRENV_DIR ) ]]; then
    __alight_seen_1="${WORKON_HOME-}|${PIPENV_PIPFILE-}|${PIPENV_VENV_IN_PROJECT-}|${PIPENV_CUSTOM_VENV_NAME-}|${PIPENV_PYTHON-}"
    __alight_seen_2="${POETRY_VIRTUALENVS_PATH-}|${POETRY_VIRTUALENVS_IN_PROJECT-}|${PDM_PYTHON-}|${PDM_IGNORE_SAVED_PYTHON-}"
    __alight_seen_3="${PDM_USE_VENV-}|${PDM_VENV_IN_PROJECT-}|${HATCH_ENV-}|${UV_PROJECT_ENVIRONMENT-}|${PYENV_ROOT-}"
    __alight_seen_4="${PYENV_VERSION-}|${ASDF_PYTHON_VERSION-}|${DIRENV_DIR-}"
  fi
  (( ! __alight_dirty )) || __alight_session_seen=
  [[ $__alight_wants_segment != 1 || ${PROMPT-} == *%${__alight_slot}v* ]] || __alight_segment || :
}

# The connection is ours only while the prompt is shown, so that no command inherits it. A line that may make an
# environment is told to the daemon before it runs: what is absent now and there later was made by the user.
__alight_preexec() {
  case "$1" in
    *venv* | *virtualenv* | *uv* | *poetry* | *pipenv* | *pdm* | *hatch* | *pixi* | *conda*) __alight_note "$1" ;;
  esac
  [[ "$__alight_fd" == -1 ]] || __alight_close
  [[ "$__alight_idle" == 0 ]] || { zle -F "$__alight_null" && __alight_idle=0 }
  [[ "$__alight_waiting" == -1 ]] || __alight_stop_waiting
}

__alight_note() {
  emulate -L zsh -o no_err_exit -o no_err_return -o unset -o no_xtrace -o no_warn_create_global
  [[ $__alight_switch == on && $sysparams[pid] == $__alight_pid && ${ALIGHT_DISABLE-} != 1 ]] || return 0
  (( EPOCHSECONDS >= __alight_open_until )) || return 0
  local word=${${(z)1}[1]} kind=none
  if (( $+aliases[$word] )); then kind=alias
  elif (( $+functions[$word] )); then kind=function
  elif (( $+builtins[$word] )); then kind=builtin
  elif (( $+commands[$word] )) || [[ $word == */* ]]; then kind=file
  fi
  [[ $kind == file ]] || return 0
  local name
  local -a variables
  for name in PATH HOME; do
    (( ${(P)+name} )) && variables+=("$name=${(P)name}")
  done
  __alight_exchange note zsh $$ "$PWD" $kind "$1" "${(@)variables}"
  __alight_dirty=1
}

__alight_exit() {
  emulate -L zsh -o no_err_exit -o no_err_return -o unset -o no_xtrace -o no_warn_create_global
  __alight_close
}

# --- what the user calls -------------------------------------------------------------------------

# Takes venv's own argument too: an `activate` script calls `deactivate nondestructive` before it sets its variables.
__alight_deactivate() {
  __alight_leave
  __alight_owner= __alight_dirty=1
  [[ ${1-} == nondestructive ]] || __alight_declined=${__alight_root:--}
}

alight() { __alight_plainly __alight_command_line "$@" }

__alight_command_line() {
  case ${1-} in
    on)
      (( $# == 1 )) || { print -ru2 -- 'alight: on takes no arguments'; return 2 }
      __alight_switch=on __alight_declined= __alight_dirty=1 __alight_open_until=0
      ;;
    off)
      (( $# == 1 )) || { print -ru2 -- 'alight: off takes no arguments'; return 2 }
      __alight_close
      [[ -z $__alight_applied ]] || __alight_leave
      __alight_switch=off __alight_owner= __alight_declined=
      __alight_show_none
      ;;
    pause)
      (( $# == 1 )) || { print -ru2 -- 'alight: pause takes no arguments'; return 2 }
      __alight_switch=paused __alight_declined=${__alight_root:--}
      ;;
    status | doctor)
      command $__alight_command $1 --shell-owner "$__alight_owner" --shell-switch $__alight_switch \
        --shell-declined "$__alight_declined" "${@[2,-1]}"
      ;;
    check) __alight_check "$@" ;;
    *)
      command $__alight_command "$@"
      local -i __alight_code=$?
      [[ ${1-} == (allow|deny|trust|daemon) ]] && __alight_dirty=1 __alight_open_until=0
      return __alight_code
      ;;
  esac
}

# --- start ---------------------------------------------------------------------------------------

__alight_load() {
  emulate -L zsh -o no_err_exit -o no_err_return -o unset -o no_xtrace -o no_warn_create_global
  local file=$1 line directory
  typeset -g __alight_python __alight_client __alight_command __alight_daemon_python __alight_beside
  if [[ -z $__alight_client ]]; then
    # Sourced as a file: the guard and the client lie beside it, in the package or in the checkout.
    __alight_beside=${file:A:h}/guard.zsh
    for line in ${file:A:h:h}/query.py ${file:A:h:h}/daemon/alight/query.py; do
      [[ -r $line ]] && __alight_client=$line && break
    done
  fi
  [[ -n $__alight_command ]] || __alight_command=${commands[alight]-}
  if [[ -z $__alight_python && -r $__alight_command ]]; then
    { read -r line < $__alight_command } 2>/dev/null
    [[ $line == '#!'/*python* ]] && __alight_python=${${line#\#!}%% *}
  fi
  [[ -n $__alight_daemon_python ]] || __alight_daemon_python=$__alight_python
  [[ -n $__alight_command ]] || __alight_command=alight

  directory=${ALIGHT_RUNTIME_DIR-}
  if [[ -z $directory ]]; then
    if [[ $OSTYPE == darwin* ]]; then
      directory=${${$(/usr/bin/getconf DARWIN_USER_TEMP_DIR):-/tmp}:A}/alight
    elif [[ -d /run/user/$EUID && -O /run/user/$EUID ]]; then
      directory=/run/user/$EUID/alight
    else
      directory=/tmp/alight-$EUID
    fi
  fi
  if [[ -n ${__alight_pid-} && $__alight_pid == $sysparams[pid] ]]; then
    # Sourced a second time: functions and settings are new, what is applied stays known.
    __alight_runtime=$directory __alight_dirty=1
  else
    typeset -g __alight_runtime=$directory __alight_switch=on __alight_owner= __alight_applied= __alight_declined=
    typeset -g __alight_root= __alight_session_seen= __alight_signature_seen= __alight_generation=
    typeset -g __alight_seen_path= __alight_seen_1= __alight_seen_2= __alight_seen_3= __alight_seen_4=
    typeset -g __alight_mark= __alight_old_1= __alight_old_2= __alight_old_3= __alight_old_4=
    typeset -g __alight_absent_1= __alight_absent_2= __alight_absent_3= __alight_absent_4=
    typeset -g __alight_witness_1= __alight_witness_2= __alight_witness_3= __alight_witness_4=
    typeset -g __alight_shown= __alight_adopted_as= __alight_wants_segment=0 __alight_first=1 __alight_below=
    typeset -g __alight_sign= __alight_stamp= __alight_approved= __alight_conda= __alight_entry= __alight_unfinished=
    typeset -ga __alight_reply __alight_added __alight_on_leave __alight_after_leave
    typeset -gA __alight_ours __alight_unset __alight_former __alight_was __alight_said __alight_memory __alight_waited
    typeset -gi __alight_pid=$sysparams[pid] __alight_fd=-1 __alight_idle=0 __alight_waiting=-1 __alight_count=0
    typeset -gi __alight_adopted=0 __alight_deactivate_is_ours=0 __alight_dirty=1 __alight_slot=0 __alight_redrawn=0 __alight_heard=0
    typeset -gi __alight_scripts=0 __alight_simple=0 __alight_null=-1 __alight_spawned=0 __alight_open_until=0 __alight_bare=0 __alight_level=0 __alight_entered_at=0
    typeset -gF __alight_limit=0.05
    [[ ${ALIGHT_DEADLINE-} == (0|1|2|3|4|5|).<0-999> || ${ALIGHT_DEADLINE-} == [1-5] ]] && __alight_limit=$ALIGHT_DEADLINE
    __alight_reply=() __alight_added=()
    # Always ready to be read: how zle says that it is idle. Programs do not get it.
    sysopen -r -o cloexec -u __alight_null /dev/null
    # A parent's display says nothing about this shell.
    __alight_show_none
  fi
  typeset -g __alight_greeting=$'\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL'
  () {
    setopt local_options no_multibyte
    repeat 48 __alight_greeting+=$'\0'
    __alight_greeting+=$'\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER'
  }
  typeset -ga precmd_functions preexec_functions zshexit_functions
  precmd_functions=(${precmd_functions:#__alight_precmd} __alight_precmd)
  # In front, so that another hook's child does not inherit the connection.
  preexec_functions=(__alight_preexec ${preexec_functions:#__alight_preexec})
  zshexit_functions=(${zshexit_functions:#__alight_exit} __alight_exit)
  [[ ! -r $__alight_beside ]] || builtin source $__alight_beside
}

__alight_load "${(%):-%x}"

fi

(( ! ${#__alight_restore} )) || 'builtin' 'setopt' $__alight_restore
'builtin' 'unset' '__alight_restore'
