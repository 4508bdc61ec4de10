# alight for zsh, the second file of the hook: asks about a line that installs something before Enter runs it.
#
# It is read behind alight.zsh, whose functions it uses; where that did nothing, this does nothing. PROTOCOL.md 7.

'builtin' 'typeset' '-ga' '__alight_guard_restore'
__alight_guard_restore=()
[[ ! -o 'aliases' ]] || __alight_guard_restore+=('aliases')
[[ ! -o 'sh_glob' ]] || __alight_guard_restore+=('sh_glob')
[[ ! -o 'no_brace_expand' ]] || __alight_guard_restore+=('no_brace_expand')
'builtin' 'setopt' 'no_aliases' 'no_sh_glob' 'brace_expand'

if [[ -o interactive && -n ${__alight_pid-} && $__alight_pid == ${sysparams[pid]-} && ${ZSH_SUBSHELL:-0} == 0 ]]; then

# --- what Enter does -----------------------------------------------------------------------------

# Comes before a prompt. Puts the guard in front of whatever accepts a line; others may have done so before and may do so
# after. When the start-up file is read again, one of them may have our place: we go in front, what is behind lets pass.
__alight_chain() {
  local __alight_widget
  if [[ -n $__alight_unsaved ]]; then
    builtin print -rS -- "$__alight_unsaved"
    __alight_unsaved=
  fi
  (( ! __alight_chained )) && [[ -o zle ]] && zmodload zsh/zleparameter 2>/dev/null || return 0
  __alight_chained=1
  for __alight_widget in accept-line accept-and-hold accept-line-and-down-history; do
    [[ -n ${widgets[$__alight_widget]-} && $widgets[$__alight_widget] != user:__alight_enter_* ]] || continue
    (( ++__alight_links ))
    builtin zle -A $__alight_widget __alight-$__alight_links-$__alight_widget || continue
    # A function for each, in one piece: others call what they wrap by names of their own, so that none can tell by its name
    # which it is, and at every Enter a call would cost as much as the whole filter.
    functions[__alight_enter_$__alight_links]="local __alight_next=__alight-$__alight_links-$__alight_widget
$functions[__alight_enter]"
    builtin zle -N $__alight_widget __alight_enter_$__alight_links
  done
}

# Runs under the user's options, as the widget does that it goes on to. Nearly every line passes without another call: it
# names no installer, none of its words is an alias or a function, and nothing waits to be read.
__alight_enter() {
  if [[ -z "${__alight_entered_line+1}" ]]; then
    local __alight_entered_line="$BUFFER" __alight_stop= __alight_word
    case "$__alight_entered_line" in
      '') ;;
      *pip* | *uv* | *conda* | *mamba* | *poetry* | *pdm* | *hatch* | *pixi* | *easy_install* | *flit* | *setup.py*) __alight_stop=- ;;
      *\!* | \^* | *\`* | *\$\(* | *[\<\>=]\(*) __alight_stop=- ;;
      *)
        for __alight_word in "${(@u)${(@z)__alight_entered_line}:#[-;|&<>/\"\'\$]*}"; do
          [[ -z "${aliases[$__alight_word]-}${galiases[$__alight_word]-}${functions[$__alight_word]+1}" ]] || __alight_stop=-
        done
        [[ "$__alight_entered_line" != *.* ]] || (( ! ${#saliases} )) || __alight_stop=-
        ;;
    esac
    (( ! PENDING && ! KEYS_QUEUED_COUNT && ! __alight_waiting_octets )) || __alight_stop=-
    [[ -z "$__alight_stop" ]] || __alight_consider
    if [[ -n "$__alight_stop" ]]; then
      if [[ ! -o hist_ignore_space || "$PREBUFFER$__alight_entered_line" != \ * ]]; then
        if [[ -z "$PREBUFFER" ]]; then
          builtin print -rS -- "$__alight_entered_line"
        else
          # What was taken before is saved by the shell itself, and would come last: ours waits for the prompt.
          __alight_unsaved="$PREBUFFER$__alight_entered_line" __alight_session_seen=
        fi
      fi
      BUFFER=
      # A key that seems to wait spares the empty line another drawing; the break drops it.
      builtin zle -U $'\3'
      builtin zle .send-break || return 0
    fi
  fi
  # Some save under a fixed name whatever is there, ourselves included, and would go round in circles.
  if [[ "${__alight_passed-}" == *" $__alight_next "* ]]; then
    __alight_next=".${__alight_next#__alight-*-}"
  else
    local __alight_passed="${__alight_passed-} $__alight_next "
  fi
  builtin zle "$__alight_next" -- "$@"
}

# Sets __alight_stop when the line is not to run. Whatever fails in the guard, it runs.
__alight_consider() {
  local __alight_bang=
  [[ ! -o bang_hist ]] || __alight_bang=1
  [[ "$BUFFER" != *\!* && "$BUFFER" != \^* ]] || __alight_expand
  __alight_stop=
  {
    __alight_guard || __alight_stop=1
  } always {
    TRY_BLOCK_ERROR=0
  }
}

# What history expansion will make of the line, in __alight_entered_line; nothing where the shell then shows it first.
__alight_expand() {
  [[ -n "$__alight_bang" ]] || return 0
  __alight_expanded "$BUFFER" || __alight_entered_line=
  [[ ! -o hist_verify || "$__alight_entered_line" == "$BUFFER" ]] || __alight_entered_line=
}

# History expansion of $1 behind what was taken before, in __alight_entered_line.
__alight_expanded() {
  local __alight_typed="$BUFFER" __alight_cursor="$CURSOR" __alight_made
  BUFFER="$PREBUFFER$1"
  builtin zle .expand-history || true
  __alight_made="$BUFFER"
  BUFFER="$__alight_typed"
  CURSOR="$__alight_cursor"
  [[ "$__alight_made" == "$PREBUFFER"* ]] || return 1
  __alight_entered_line="${__alight_made#"$PREBUFFER"}"
}

# --- the filter: does the line name an installer, or a word that leads to one? --------------------

# Octets count here, not characters. Returns 1 when the line is not to run.
__alight_guard() {
  emulate -L zsh -o extended_glob -o no_multibyte -o no_err_exit -o no_err_return -o unset -o no_xtrace -o no_warn_create_global
  local REPLY __alight_word IFS=$__alight_between
  local -i __alight_waits=$(( PENDING + KEYS_QUEUED_COUNT ))
  # What waits behind one line of a paste holds the next one whole: that one was not typed either.
  if (( __alight_waiting_octets > $#BUFFER || __alight_waits )); then
    __alight_waiting_octets=$__alight_waits __alight_waits=1
  else
    __alight_waiting_octets=0
  fi
  [[ $__alight_entered_line != ${~__alight_installers} ]] || { __alight_judge; return }
  for __alight_word in ${(u)=__alight_entered_line}; do
    ! __alight_leads $__alight_word 4 || { __alight_judge; return }
    [[ ${saliases[${__alight_word:e}]-} != ${~__alight_installers} ]] || { __alight_judge; return }
  done
  return 0
}

# Whether an alias or a function names an installer, by itself or by a word of it. A function of which the text would not be
# told leads nowhere.
__alight_leads() {
  [[ -n "${aliases[$1]-}${galiases[$1]-}${functions[$1]+1}" ]] || return 1
  local __alight_text=${functions[$1]-} __alight_inner
  (( $#__alight_text <= 1024 )) || __alight_text=
  __alight_text+=" ${aliases[$1]-} ${galiases[$1]-}"
  [[ $__alight_text != ${~__alight_installers} ]] || return 0
  (( $2 )) || return 1
  for __alight_inner in ${(u)=__alight_text}; do
    [[ $__alight_inner == $1 ]] || ! __alight_leads $__alight_inner $(( $2 - 1 )) || return 0
  done
  return 1
}

# --- what the daemon is told ---------------------------------------------------------------------

# What the shell knows of the words of $1, in __alight_facts: aliases, functions, remembered commands.
__alight_tell_words() {
  local __alight_word IFS=$__alight_between
  for __alight_word in ${(u)=1}; do
    (( ! $+__alight_told[$__alight_word] )) || continue
    __alight_told[$__alight_word]=1
    if [[ -n ${__alight_word:e} && -n ${saliases[${__alight_word:e}]-} && -z ${aliases[$__alight_word]-} ]]; then
      __alight_facts+=("alias $__alight_word=$saliases[${__alight_word:e}] $__alight_word")
    fi
    if (( $+aliases[$__alight_word] || $+galiases[$__alight_word] )); then
      __alight_facts+=("alias $__alight_word=${aliases[$__alight_word]-${galiases[$__alight_word]-}}")
      __alight_tell_words "${aliases[$__alight_word]-${galiases[$__alight_word]-}}"
    fi
    if (( $#functions[$__alight_word] > 1024 )); then
      __alight_facts+=("function $__alight_word")
    elif (( $+functions[$__alight_word] )); then
      __alight_facts+=("function $__alight_word=$functions[$__alight_word]")
      __alight_tell_inner "$functions[$__alight_word]"
    fi
    [[ $__alight_word == */* || -z ${commands[$__alight_word]-} ]] ||
      __alight_facts+=("hash $__alight_word=$commands[$__alight_word]")
  done
}

# Of what a function calls only what leads somewhere.
__alight_tell_inner() {
  local __alight_inner
  for __alight_inner in ${(u)=1}; do
    (( ! $+__alight_told[$__alight_inner] && ($+aliases[$__alight_inner] || $+functions[$__alight_inner]) )) || continue
    ! __alight_leads $__alight_inner 4 || __alight_tell_words $__alight_inner
  done
}

# The names behind a `$` in $1, in __alight_named.
__alight_find_named() {
  local __alight_part
  __alight_named=()
  for __alight_part in "${(@)${(@s:$:)1}[2,-1]}"; do
    __alight_part=${${__alight_part#\{}%%[^A-Za-z0-9_]*}
    [[ $__alight_part != [A-Za-z_]* ]] || __alight_named+=($__alight_part)
  done
  __alight_named=(${(u)__alight_named})
}

# What the shell alone knows of a text, in __alight_facts; variables with their values only when $2 is 1.
__alight_tell() {
  local __alight_name
  local -a __alight_named
  local -A __alight_told
  # The table of commands is read as it is, not filled.
  setopt local_options no_hash_list_all
  __alight_facts=()
  __alight_tell_words "$1"
  __alight_find_named "$1"
  for __alight_name in $__alight_named; do
    if (( ! ${(P)+__alight_name} )); then
      __alight_facts+=("unset $__alight_name")
    elif [[ $2 == 1 && $parameters[$__alight_name] == (scalar|integer|float)* ]] &&
      [[ $parameters[$__alight_name] != *(export|special)* && $__alight_name != ${~__alight_secrets} ]]; then
      __alight_facts+=("shell $__alight_name=${(P)__alight_name}")
    fi
  done
}

# The exported variables that may change where an installer writes, and those that $1 names, in __alight_variables.
__alight_tell_variables() {
  local __alight_name
  local -a __alight_names __alight_named
  __alight_names=(${(k)parameters[(R)*export*]})
  __alight_find_named "$1"
  __alight_named=(${__alight_named:*__alight_names})
  __alight_names=(${(M)__alight_names:#${~__alight_landing}})
  __alight_names=(${__alight_names:#${~__alight_secrets}})
  __alight_variables=()
  for __alight_name in ${(u)__alight_names} ${__alight_named:|__alight_names}; do
    __alight_variables+=("$__alight_name=${(P)__alight_name}")
  done
  # It need not be exported to be heard.
  [[ $parameters[ALIGHT_GUARD] != scalar ]] || __alight_variables+=("ALIGHT_GUARD=$ALIGHT_GUARD")
  __alight_trim
}

# --- the verdict ---------------------------------------------------------------------------------

# Asks the daemon, and the user if it says so. Returns 1 when the line is not to run.
__alight_judge() {
  [[ $CONTEXT == (start|cont) && $__alight_switch == on && ${ALIGHT_GUARD-} != off && ${ALIGHT_DISABLE-} != 1 ]] || return 0
  [[ $sysparams[pid] == $__alight_pid && $ZSH_SUBSHELL == 0 && -w $TTY ]] || return 0
  [[ $PREBUFFER$__alight_entered_line != *$'\0'* ]] || return 0
  (( EPOCHSECONDS >= __alight_open_until && $#__alight_entered_line <= 8192 && $#PREBUFFER <= 8192 )) || return 0
  local -a __alight_facts __alight_variables
  __alight_tell "$PREBUFFER$__alight_entered_line" 1
  __alight_tell_variables "$PREBUFFER$__alight_entered_line"
  (( $#__alight_facts <= 24 && $#__alight_variables <= 60 )) || return 0
  (( ${#${(j::)__alight_facts}} + ${#${(j::)__alight_variables}} <= 40000 )) || return 0
  [[ "$__alight_facts" != *$'\0'* && "$__alight_variables" != *$'\0'* ]] || return 0
  __alight_exchange guard zsh $$ "$PWD" "$PREBUFFER" "$__alight_entered_line" "${(@)__alight_variables}" "${(@)__alight_facts}"
  case $? in
    0) ;;
    3) __alight_dirty=1 ;;
    4) __alight_open_until=$(( EPOCHSECONDS + 30 )) __alight_dirty=1 ;;
    5) __alight_open_until=$(( EPOCHSECONDS + 60 )) __alight_dirty=1 ;;
  esac
  # The next prompt finds none, and makes one for its news.
  __alight_close
  [[ ${__alight_reply[1]-} == verdict ]] && (( $#__alight_reply >= 6 )) || return 0

  local __alight_act=$__alight_reply[2] __alight_once=$__alight_reply[3] __alight_message=$__alight_reply[4]
  local __alight_keys=$__alight_reply[5] __alight_token=$__alight_reply[6] __alight_edited= __alight_words= __alight_answer=
  local -a __alight_lines
  [[ $__alight_act == (say|ask|stop) && -n $__alight_message && $__alight_keys != *[^rpac]* ]] || return 0
  __alight_take_frames "${(@)__alight_reply[7,-1]}" || return 0
  [[ -n $__alight_edited ]] || __alight_keys=${__alight_keys//r/}
  if [[ $__alight_act == ask ]]; then
    # A conversation needs somebody who reads before typing on.
    (( ! __alight_waits )) || __alight_act=say
    [[ $LASTWIDGET != *bracketed-paste || ${__alight_entered_line%%$'\n'#} != *$'\n'* ]] || __alight_act=say
  fi
  case $__alight_act in
    say | stop)
      if [[ -z $__alight_once || -z ${__alight_said[guard:$__alight_once]-} ]]; then
        [[ -z $__alight_once ]] || __alight_said[guard:$__alight_once]=1
        builtin zle -I
        __alight_print 2 "$__alight_message" "${(@)__alight_lines}"
      fi
      [[ $__alight_act == say ]]
      return
      ;;
  esac
  __alight_question
  case $__alight_answer in
    r) BUFFER=$__alight_edited CURSOR=$#BUFFER ;;
    a)
      __alight_exchange always zsh $$ "$PWD" "$__alight_token"
      __alight_close
      [[ ${__alight_reply[1]-} != failure || -z ${__alight_reply[3]-} ]] || __alight_print 2 "alight: $__alight_reply[3]"
      ;;
    eof) __alight_print 2 'alight: no answer, the line runs as typed' ;;
    c) return 1 ;;
  esac
  return 0
}

# Takes the frames behind a verdict: further lines to print, and the line as the edits make it, with their words as shown.
# Returns 1 when one of them is not what it should be.
__alight_take_frames() {
  local __alight_frame __alight_made= __alight_quoted
  local -i __alight_at=0 __alight_begin=0 __alight_end=0 __alight_open=0 __alight_some=0
  local -a __alight_shown_words
  for __alight_frame in "$@" @; do
    case $__alight_frame in
      -*) __alight_lines+=("${__alight_frame#-}") ;;
      @*)
        if (( __alight_open )); then
          (( __alight_some )) || return 1
          __alight_shown_words+=("$__alight_quoted")
          __alight_made+=$__alight_quoted __alight_at=$__alight_end __alight_open=0
        fi
        [[ $__alight_frame != @ ]] || continue
        [[ $__alight_frame == @[0-9](#c1,5):[0-9](#c1,5) ]] || return 1
        __alight_begin=${${__alight_frame#@}%:*} __alight_end=${__alight_frame#*:}
        (( __alight_at <= __alight_begin && __alight_begin <= __alight_end )) || return 1
        (( __alight_end <= $#__alight_entered_line )) || return 1
        __alight_made+=${__alight_entered_line[__alight_at+1,__alight_begin]}
        __alight_open=1 __alight_some=0 __alight_quoted=
        ;;
      .*)
        (( __alight_open )) || return 1
        __alight_quote "${__alight_frame#.}"
        __alight_quoted+=${__alight_quoted:+ }$REPLY
        __alight_some=1
        ;;
      *) return 1 ;;
    esac
  done
  (( $#__alight_shown_words )) || return 0
  __alight_edited=$__alight_made${__alight_entered_line[__alight_at+1,-1]}
  __alight_words="${(j: … :)__alight_shown_words}"
  # What history expansion would change once more is no replacement.
  if [[ -n $__alight_bang && $__alight_edited == *[\!^]* ]]; then
    __alight_frame=$__alight_entered_line
    __alight_expanded "$__alight_edited" && [[ $__alight_entered_line == $__alight_edited ]] || __alight_edited=
    __alight_entered_line=$__alight_frame
  fi
  return 0
}

# The word as this shell reads it again, octet for octet; controls are spelled out.
__alight_quote() {
  setopt local_options multibyte
  if [[ $1 == [A-Za-z0-9_@+,./:-][A-Za-z0-9_@%+,./:=-]# ]]; then
    REPLY=$1
  elif [[ $1 == *[^[:print:]]* ]]; then
    REPLY=${(qqqq)1}
  else
    REPLY=${(qq)1}
  fi
}

# Prints lines to descriptor $1; data from the wire must not reach the terminal raw.
__alight_print() {
  setopt local_options multibyte
  local __alight_text
  for __alight_text in "${(@)@[2,-1]}"; do
    builtin print -ru $1 -- "${__alight_text//[[:cntrl:]]/?}"
  done
}

# Shows the question below the line and reads one key; the answer is left in __alight_answer: r, p, a, c or eof. While it
# waits, the terminal stays as zle has set it, and zle believes to be where it was; only then it is told that the line is
# history. Handlers of descriptors that zle watches run meanwhile, and may use REPLY.
__alight_question() {
  setopt local_options local_traps multibyte
  local __alight_text= __alight_key
  local -i __alight_terminal
  [[ $__alight_keys != *r* ]] || __alight_text+="  [r]un \`${__alight_words//[[:cntrl:]]/?}\` instead"
  [[ $__alight_keys != *p* ]] || __alight_text+='   [p]roceed'
  [[ $__alight_keys != *a* ]] || __alight_text+='   [a]lways here'
  [[ $__alight_keys != *c* ]] || __alight_text+='   [c]ancel'
  __alight_text="  ${__alight_text##[[:blank:]]#}"
  # Ctrl-C is an answer here, not the user's trap's.
  trap - INT
  __alight_answer=p
  exec {__alight_terminal}>$TTY || return 0
  {
    CURSOR=$#BUFFER POSTDISPLAY= __alight_answer=
    builtin zle -R
    builtin print -u $__alight_terminal
    __alight_print $__alight_terminal "$__alight_message" "${(@)__alight_lines}"
    while [[ -z $__alight_answer ]]; do
      builtin print -rnu $__alight_terminal -- "$__alight_text "
      __alight_read_key || { __alight_answer=c; break }
      case $__alight_key in
        [rpac]) [[ $__alight_keys != *$__alight_key* ]] || __alight_answer=$__alight_key ;;
        $'\e' | $'\3') __alight_answer=c ;;
        $'\4') __alight_answer=eof ;;
      esac
      [[ -n $__alight_answer ]] || builtin print -u $__alight_terminal
    done
    [[ $__alight_answer == eof ]] || builtin print -rnu $__alight_terminal -- $__alight_answer
  } always {
    # Ctrl-C
    (( ! TRY_BLOCK_INTERRUPT )) || __alight_answer=c
    TRY_BLOCK_INTERRUPT=0
    exec {__alight_terminal}>&-
    builtin zle -I
  }
}

# One key in __alight_key: Escape alone is that, what a longer sequence begins with is not, and what is pasted is no key.
__alight_read_key() {
  local __alight_sequence=
  local -F __alight_since=$EPOCHREALTIME
  # A Ctrl-C that comes between two steps is noticed when the next one begins: none takes long.
  until builtin read -t 1 -k 1 __alight_key; do
    (( EPOCHREALTIME - __alight_since > 0.5 )) || return 1
    __alight_since=$EPOCHREALTIME
  done
  [[ $__alight_key == $'\e' ]] || return 0
  while builtin read -t 0.05 -k 1 __alight_sequence; do
    __alight_key+=$__alight_sequence
    case $__alight_key in
      $'\e['[0-9\;]#[\@-~] | $'\eO'? | $'\e'[^\[O]) [[ $__alight_key == $'\e[200~' ]] || break ;;
      $'\e[200~'*$'\e[201~') break ;;
    esac
    __alight_key=${__alight_key[1,6]}${${__alight_key[7,-1]}[-8,-1]}
  done
  return 0
}

# --- alight check --------------------------------------------------------------------------------

# Adds whose syntax the line has and what the shell knows of its words. Values of variables stay here: arguments are seen
# by others.
__alight_check() {
  local -i __alight_at=${@[(i)--]}
  local -a __alight_facts __alight_more
  if (( __alight_at < $# )) && [[ -z ${(M)@[1,__alight_at]:#--shell*} ]]; then
    setopt local_options extended_glob
    __alight_tell "${(j: :)@[__alight_at+1,-1]}" 0
    __alight_more=(--shell zsh --word=${^__alight_facts})
  fi
  command $__alight_command "${@[1]}" "${(@)__alight_more}" "${@[2,-1]}"
}

# --- start ---------------------------------------------------------------------------------------

typeset -gi __alight_links=${__alight_links-0} __alight_chained=0 __alight_waiting_octets=0
typeset -g __alight_unsaved= __alight_between=$' \t\n;&|()<>`"\\{}$=\''
typeset -g __alight_installers='(|*[^A-Za-z0-9_.-]|*[[:blank:]]-[A-Za-z]#m)'
__alight_installers+='(pip[0-9.]#|pip-sync|pipenv|pipx|uv|uvx|conda|mamba|micromamba|poetry|pdm|hatch|pixi|easy_install(|-[0-9.]##)|flit|setup.py|ensurepip)'
__alight_installers+='(|[^A-Za-z0-9_.-]*)'
typeset -g __alight_landing='((PIP|UV|CONDA|_CONDA|MAMBA|POETRY|PIPENV|PDM|HATCH|PYENV|PIXI|PIPX|FLIT|ASDF|MISE|DIRENV|VIRTUALENV|XDG|DEB|RPM|HOMEBREW|CUDA)_*|PYTHON*|VIRTUAL_ENV*'
__alight_landing+='|CONDARC|WORKON_HOME|VIRTUALFISH_HOME|DIST_EXTRA_CONFIG|__PYVENV_LAUNCHER__|__MISE_DIFF|_OLD_VIRTUAL_PATH'
__alight_landing+='|HOME|PATH|PWD|OLDPWD|CDPATH|USER|LOGNAME|CI|SUDO_USER|TERM_PROGRAM|BASH_ENV|ENV|ZDOTDIR|LD_LIBRARY_PATH|ALIGHT_GUARD)'
typeset -g __alight_secrets='*(PASSWORD|TOKEN|HTTP_BASIC|SECRET|CREDENTIAL|_INDEX|PROXY|_CERT)*'

fi

(( ! ${#__alight_guard_restore} )) || 'builtin' 'setopt' $__alight_guard_restore
'builtin' 'unset' '__alight_guard_restore'
