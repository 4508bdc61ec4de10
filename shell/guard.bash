# alight for bash, second half: the guard, which speaks up at Enter about a line that installs something (PROTOCOL.md 7).
#
# Read behind alight.bash, whose rules hold here, too; where that is inert there is no guard. Every local variable has a
# name of ours, since a line may name any of the user's, which are looked up from in here. In `$( )` no reserved word comes
# first: in the midst of a `case`, bash would take it for a pattern. Whatever goes wrong means that the line runs as typed.

# shellcheck disable=SC2154  # what is assigned in alight.bash
# shellcheck disable=SC2034  # and what is read there, or by the client
__alight_guard_restore='' __alight_guard_aliases=0
\builtin [ "${-#*a}" = "$-" ] || __alight_guard_restore+=a
\builtin [ "${-#*e}" = "$-" ] || __alight_guard_restore+=e
\builtin [ "${-#*u}" = "$-" ] || __alight_guard_restore+=u
\builtin set +aeu
if \builtin shopt -q expand_aliases; then
  __alight_guard_aliases=1
  \builtin shopt -u expand_aliases
fi

if [[ $- == *i* && ${BASH_SUBSHELL-0} == 0 && -n ${__alight_pid-} && ${__alight_pid-} == "$$" ]]; then

# --- the filter ----------------------------------------------------------------------------------

# What every Enter runs; $1 is 1 for the first line after a prompt, else 0. Nearly every line ends in its first half: the
# words that begin its commands are known to lead nowhere.
__alight_guard() {
  # What waits behind one line of a paste is the next one, which was not typed either, though nothing may wait behind it.
  __alight_pasting=$__alight_waiting __alight_waiting=0
  if builtin read -r -t 0; then __alight_waiting=1; fi
  if (($1)); then
    # The number of the command that is being read. As soon as that runs it is another one, so that a line that `read -e`
    # gets is told from one that continues a command.
    __alight_number=${__alight_numbering@P} __alight_taken='' __alight_concerned=0
  fi
  case $READLINE_LINE in
    *pip* | *uv* | *conda* | *mamba* | *poetry* | *pdm* | *hatch* | *pixi* | *easy_install* | *flit* | *setup.py*) builtin false ;;
    *!* | ^* | *alias* | *function* | *source* | *eval* | *unset* | *'. '* | *'()'* | *'( )'*) builtin false ;;
    *[$';|&()`{\n']*) [[ $__alight_concerned${histchars-} == 0 ]] && __alight_is_tame ;;
    *) [[ -n ${__alight_tame[x${READLINE_LINE%% *}]-} && $__alight_concerned${histchars-} == 0 ]] ;;
  esac || __alight_look_at_line || {
    # Bash does not take the line either, and goes on as if it had not been typed.
    __alight_at_start=("$1")
    return 0
  }
  ((${#__alight_taken} > 8192)) || __alight_taken+=$READLINE_LINE$'\n'
}

# Whether the first words of all commands on the line are known.
__alight_is_tame() {
  builtin local IFS=$';|&()`{\n' __alight_part
  builtin set -f
  # shellcheck disable=SC2206  # split where a command may begin
  __alight_parts=($READLINE_LINE)
  [[ $__alight_options == *f* ]] || builtin set +f
  for __alight_part in "${__alight_parts[@]}"; do
    __alight_part=${__alight_part# }
    case $__alight_part in 'do '* | 'then '* | 'else '* | 'if '* | 'while '*) __alight_part=${__alight_part#* } ;; esac
    [[ -n ${__alight_tame[x${__alight_part%% *}]-} ]] || return 1
  done
}

# Forks where history has to be expanded and where a function is met for the first time.
__alight_look_at_line() {
  __alight_line=$READLINE_LINE
  [[ $__alight_line != *["${histchars-!^}"]* ]] || __alight_expand || return 1
  ((__alight_concerned)) || ! __alight_concerns "$__alight_line" 0 || __alight_concerned=1
  ((!__alight_concerned)) || __alight_judge || builtin :
  # What this line defines is news to the next one.
  case $__alight_line in
    *alias* | *function* | *source* | *eval* | *unset* | *'. '* | *'()'* | *'( )'*) __alight_tame=([x]=1) ;;
  esac
  return 0
}

# Expands history in __alight_line as bash is about to. Returns 1 where that runs nothing: there is no such event, or what
# was found is only shown.
__alight_expand() {
  builtin local __alight_marks="${histchars-!^}"
  [[ $- == *H* ]] || return 0
  [[ $__alight_line == *"${__alight_marks:0:1}"[!$' \t\n\r=(']* || $__alight_line == "${__alight_marks:1:1}"?* ]] || return 0
  __alight_line=$(
    # `history -p` removes the last entry, which it takes for itself, unless one was stored just now.
    builtin history -s -- -
    __alight_text=$(builtin unset -v HISTTIMEFORMAT; builtin history 1)
    __alight_text=${__alight_text#"${__alight_text%%[![:blank:]]*}"}
    builtin history -d "${__alight_text%%[!0123456789]*}"
    builtin history -p -- "$__alight_line" 2>/dev/null
  ) && builtin [ "$__alight_line" = "$READLINE_LINE" ] && return 0
  [[ -n $__alight_line && $READLINE_LINE != *:p* ]] && ! builtin shopt -q histverify
}

# Whether the text $1 has an installer's word, or a command that begins with an alias or a function that leads to one. $2
# is the number of aliases that led here.
__alight_concerns() {
  builtin local IFS=$';|&()`{\n' __alight_part
  builtin local -a __alight_parts
  ! __alight_names_installer "$1" || return 0
  builtin set -f
  # shellcheck disable=SC2206  # split where a command may begin
  __alight_parts=($1)
  [[ $__alight_options == *f* ]] || builtin set +f
  for __alight_part in "${__alight_parts[@]}"; do
    ! __alight_leads "$__alight_part" "$2" || return 0
  done
  return 1
}

# Whether one of the words of PROTOCOL.md 7.1 stands in the text $1.
__alight_names_installer() {
  case $1 in
    *pip* | *uv* | *conda* | *mamba* | *poetry* | *pdm* | *hatch* | *pixi* | *easy_install* | *flit* | *setup.py*) ;;
    *) return 1 ;;
  esac
  # shellcheck disable=SC2141  # a backslash, too
  builtin local IFS=$' \t\n/;&|()<>`"\'{}[]$=\\,:@*?!#%^~+' __alight_word
  builtin local -a __alight_parts
  builtin set -f
  # shellcheck disable=SC2206  # split into words: a pattern for words in a text takes ages
  __alight_parts=($1)
  [[ $__alight_options == *f* ]] || builtin set +f
  for __alight_word in "${__alight_parts[@]}"; do
    [[ $__alight_word != -* ]] || __alight_word=${__alight_word#-*m}
    case $__alight_word in
      pip-sync | pipenv | pipx | uv | uvx | conda | mamba | micromamba | poetry | pdm | hatch | pixi | easy_install | easy_install-* | flit | setup.py | ensurepip) return 0 ;;
      pip*) [[ ${__alight_word#pip} == *[!0123456789.]* ]] || return 0 ;;
    esac
  done
  return 1
}

# Whether the command $1 begins with an alias or a function that leads to an installer.
__alight_leads() {
  builtin local __alight_word __alight_rest="$1" __alight_body
  while [[ $__alight_rest == *[![:space:]]* ]]; do
    __alight_rest=${__alight_rest#"${__alight_rest%%[![:space:]]*}"}
    __alight_word=${__alight_rest%%[[:space:]<>]*}
    __alight_rest=${__alight_rest#"$__alight_word"}
    __alight_rest=${__alight_rest#[<>]}
    __alight_word=${__alight_word//[\\\"\']/}
    case $__alight_word in
      '' | do | then | else | elif | if | while | until | time | coproc | ! | *=*) continue ;;
      *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@%+,~?-]*) return 1 ;;
    esac
    [[ -z ${__alight_tame[x$__alight_word]-} ]] || return 1
    if builtin alias "$__alight_word" && builtin shopt -q expand_aliases; then
      __alight_body=${BASH_ALIASES[$__alight_word]}
      (($2 >= 8)) || ! __alight_concerns "$__alight_body" "$(($2 + 1))" || return 0
      # Behind such an alias bash looks for another one.
      [[ $__alight_body != *[[:blank:]] ]] || continue
    elif builtin declare -F "$__alight_word"; then
      __alight_body=$(builtin declare -f "$__alight_word")
      ! __alight_names_installer "$__alight_body" || return 0
    fi
    __alight_tame[x$__alight_word]=1
    return 1
  done >/dev/null 2>&1
  return 1
}

# --- what the shell knows of a line --------------------------------------------------------------

# Collects in __alight_frames what only this shell knows of the line $1: variables that are not exported, then aliases,
# functions and remembered files.
__alight_gather() {
  builtin local __alight_rest="$1" __alight_met=' '
  __alight_frames=()
  while [[ $__alight_rest == *\$* ]]; do
    __alight_rest=${__alight_rest#*\$}
    __alight_name=${__alight_rest#\{}
    __alight_name=${__alight_name%%[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_]*}
    [[ $__alight_met != *" $__alight_name "* ]] || continue
    __alight_met+="$__alight_name "
    case $__alight_name in
      # What is no name, what changes by itself, and what is nobody's business.
      '' | _ | [0123456789]* | __alight* | READLINE_* | BASH* | RANDOM | SRANDOM | LINENO | SECONDS | EPOCH* | HISTCMD) continue ;;
      *PASSWORD* | *TOKEN* | *HTTP_BASIC* | *SECRET* | *CREDENTIAL* | *_INDEX* | *PROXY* | *_CERT*) continue ;;
    esac
    [[ ${!__alight_name@a} != *[aAnx]* ]] || continue
    if [[ -z ${!__alight_name+x} ]]; then
      __alight_frames+=("unset $__alight_name")
    elif __alight_text=${!__alight_name} && ((${#__alight_text} <= 8192)); then
      __alight_frames+=("shell $__alight_name=$__alight_text")
    fi
  done
  __alight_gather_words "$1"
}

__alight_gather_words() {
  # shellcheck disable=SC2141  # a backslash, too
  builtin local LC_ALL=C IFS=$' \t\n;&|()<>`"\'{}$=\\' __alight_word __alight_met=' ' __alight_at=0
  builtin local -a __alight_words
  builtin set -f
  # shellcheck disable=SC2206  # split into words
  __alight_words=($1)
  while ((__alight_at < ${#__alight_words[@]} && __alight_at < 512)); do
    __alight_word=${__alight_words[__alight_at]}
    __alight_at=$((__alight_at + 1))
    case $__alight_met$__alight_word in
      *' ' | *' -'* | *" $__alight_word "*) continue ;;
      *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@%+,~?\ -]*) continue ;;
    esac
    __alight_met+="$__alight_word "
    if builtin alias "$__alight_word" && builtin shopt -q expand_aliases; then
      __alight_frames+=("alias $__alight_word=${BASH_ALIASES[$__alight_word]}")
      # shellcheck disable=SC2206
      __alight_words+=(${BASH_ALIASES[$__alight_word]})
    fi
    if builtin declare -F "$__alight_word"; then
      __alight_text=$(builtin declare -f "$__alight_word")
      ((${#__alight_text} <= 1024)) || __alight_text=''
      __alight_frames+=("function $__alight_word${__alight_text:+=$__alight_text}")
    fi
    [[ ${BASH_CMDS[$__alight_word]-} != /* ]] || __alight_frames+=("hash $__alight_word=${BASH_CMDS[$__alight_word]}")
  done >/dev/null 2>&1
  [[ $__alight_options == *f* ]] || builtin set +f
}

# `alight check`, whose words are the arguments, with what this shell knows, unless the line is another shell's.
__alight_check() {
  builtin local __alight_each __alight_whole='' __alight_own=1
  builtin local -a __alight_given
  for __alight_each; do
    case $__alight_whole:$__alight_each in
      :--) __alight_whole=' ' ;;
      :--shell | :--shell=*) __alight_own=0 ;;
      ' '*) __alight_whole+=" $__alight_each" ;;
    esac
  done
  ((!__alight_own)) || __alight_given=(--shell bash)
  __alight_frames=()
  ((!__alight_own)) || __alight_gather "$__alight_whole"
  for __alight_each in "${__alight_frames[@]:0:24}"; do
    __alight_given+=(--word "$__alight_each")
  done
  builtin command "$__alight_command" check "${__alight_given[@]}" "$@"
}

# --- the verdict ---------------------------------------------------------------------------------

# Asks the daemon about __alight_line, and does what it says. At Enter stderr is closed to all noise, the user's options
# included, so that what is meant to be seen goes to the terminal itself.
__alight_judge() {
  [[ ${ALIGHT_DISABLE-} != 1 && ${ALIGHT_GUARD-} != off && $__alight_switch == on && $$ == "$__alight_pid" && $BASH_SUBSHELL == 0 ]] || return 0
  # What a function reads at the prompt, or a command that runs, is no command line.
  [[ ${FUNCNAME[${#FUNCNAME[@]} - 1]} == __alight_enter && ${__alight_numbering@P} == "$__alight_number" ]] || return 0
  [[ -t 0 && ${PWD-} == /* ]] && ((${#__alight_taken} + ${#__alight_line} <= 8192)) || return 0
  __alight_ask_about "$__alight_taken" "$__alight_line" || return 0
  [[ ${__alight_fields[5]} == run ]] || __alight_speak 2>/dev/tty
}

__alight_speak() {
  case ${__alight_fields[5]} in
    say) __alight_tell "${__alight_fields[6]}" ;;
    stop) __alight_show_typed && __alight_tell '' && __alight_cancel ;;
    # A paste is no conversation.
    ask) if [[ $__alight_line == *$'\n'* ]] || ((__alight_pasting || __alight_waiting)) || builtin read -r -t 0; then __alight_tell ''; else __alight_converse; fi ;;
  esac
}

# Leaves a verdict that fits the protocol in __alight_fields. $1 are the lines that were taken before, $2 is this one.
__alight_ask_about() {
  builtin local -x ALIGHT_BEFORE="$1" ALIGHT_LINE="$2" ALIGHT_WORDS=''
  builtin local __alight_code=0 __alight_each
  __alight_may_ask || return 1
  __alight_gather "$1$2"
  ((${#__alight_frames[@]} <= 24)) || return 1
  for __alight_each in "${__alight_frames[@]}"; do
    [[ $__alight_each != *$'\x1f'* ]] || return 1
    ALIGHT_WORDS+=${ALIGHT_WORDS:+$'\x1f'}$__alight_each
  done
  __alight_call guard bash "$$" "$PWD" || __alight_code=$?
  # A daemon that is started now must not carry them about.
  builtin export -n ALIGHT_BEFORE ALIGHT_LINE ALIGHT_WORDS
  __alight_answered "$__alight_code"
  ((__alight_code == 0)) && __alight_split && ((${#__alight_fields[@]} >= 10)) || return 1
  builtin [ "${__alight_fields[3]}:${__alight_fields[4]}" = "$PWD:verdict" ] || return 1
  __alight_take_frames "${__alight_fields[@]:10}" && __alight_edit "$2"
}

# Takes the frames of a verdict: further lines to __alight_further, where to edit to __alight_spans, and to
# __alight_spelled the words that belong there, quoted.
__alight_take_frames() {
  builtin local __alight_each
  __alight_further=() __alight_spans=() __alight_spelled=()
  for __alight_each; do
    case $__alight_each in
      -*) __alight_further+=("${__alight_each#-}") ;;
      @*)
        [[ ${__alight_each#@} != *[!0123456789:]* && $__alight_each == @?*:?* && ${__alight_each#*:} != *:* ]] || return 1
        ((${#__alight_each} <= 10)) || return 1
        __alight_spans+=("${__alight_each#@}")
        __alight_spelled+=('')
        ;;
      .*)
        ((${#__alight_spans[@]})) || return 1
        __alight_quote "${__alight_each#.}"
        __alight_each=${__alight_spelled[${#__alight_spans[@]} - 1]}
        __alight_spelled[${#__alight_spans[@]} - 1]+=${__alight_each:+ }$__alight_text
        ;;
      *) return 1 ;;
    esac
  done
}

# Edits the line $1 into __alight_edited; __alight_instead is what to call that. Places are counted in octets.
__alight_edit() {
  builtin local LC_ALL=C __alight_each __alight_at=0 __alight_from __alight_to
  __alight_edited='' __alight_instead=''
  for __alight_each in "${!__alight_spans[@]}"; do
    __alight_from=$((10#${__alight_spans[__alight_each]%:*})) __alight_to=$((10#${__alight_spans[__alight_each]#*:}))
    ((__alight_at <= __alight_from && __alight_from <= __alight_to && __alight_to <= ${#1})) || return 1
    __alight_edited+=${1:__alight_at:__alight_from - __alight_at}${__alight_spelled[__alight_each]}
    __alight_instead+=${__alight_instead:+ … }${__alight_spelled[__alight_each]}
    __alight_at=$__alight_to
  done
  __alight_edited+=${1:__alight_at}
}

# Leaves in __alight_text what bash reads as the one word $1, whatever its octets are.
__alight_quote() {
  builtin printf -v __alight_text %q "$1"
  case $1 in
    '' | [~=]* | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./=:@%+,~-]*)
      [[ $__alight_text == \$* || $1 == *\'* ]] || __alight_text="'$1'"
      ;;
    *) __alight_text=$1 ;;
  esac
}

# --- the conversation ----------------------------------------------------------------------------

# Readline wiped what was typed before it ran us, and draws it again afterwards. What stands below it needs it now.
__alight_show_typed() {
  __alight_text=${PS1-}
  [[ -z $__alight_taken ]] || __alight_text=${PS2-}
  __alight_status "${__alight_last[0]-0}"
  __alight_text=${__alight_text@P}
  __alight_text=${__alight_text##*$'\n'}
  builtin printf '%s%s\n' "${__alight_text//[$'\001\002']/}" "${READLINE_LINE//[[:cntrl:]]/?}" >&2
}

__alight_status() { builtin return "$1"; }

# Prints the message and what follows it; once in this shell for the text $1, if that is not empty.
__alight_tell() {
  builtin local __alight_each
  if [[ -n $1 ]]; then
    [[ $__alight_said != *$'\x1f'"guard:$1"$'\x1f'* ]] || return 0
    __alight_said+=$'\x1f'guard:$1$'\x1f'
  fi
  for __alight_each in "${__alight_fields[7]}" "${__alight_further[@]}"; do
    builtin printf '%s\n' "${__alight_each//[[:cntrl:]]/?}" >&2
  done
}

__alight_converse() {
  builtin local __alight_question='' __alight_key='' __alight_keys="c${__alight_fields[8]}" __alight_terminal
  builtin local __alight_token="${__alight_fields[9]}"
  # Without these characters the terminal sends no signals: to the user's traps, Ctrl-C has not happened.
  __alight_terminal=$(builtin command -p stty -g 2>/dev/null && builtin command -p stty intr undef quit undef susp undef 2>/dev/null) || return 0
  [[ -n $__alight_instead ]] || __alight_keys=${__alight_keys//r/}
  [[ $__alight_keys != *r* ]] || __alight_question+="  [r]un \`${__alight_instead//[[:cntrl:]]/?}\` instead "
  [[ $__alight_keys != *p* ]] || __alight_question+='  [p]roceed '
  [[ $__alight_keys != *a* ]] || __alight_question+='  [a]lways here '
  __alight_show_typed
  __alight_tell ''
  until [[ $__alight_key == [cpra] && $__alight_keys == *"$__alight_key"* || $__alight_key == cancel || $__alight_key == end ]]; do
    builtin printf '%s  [c]ancel ' "${__alight_key:+$'\n'}$__alight_question" >&2
    __alight_read_key
  done
  __alight_text=$(builtin command -p stty "$__alight_terminal" 2>/dev/null)
  [[ $__alight_key == [cpra] ]] && builtin printf '%s\n' "$__alight_key" >&2 || builtin printf '\n' >&2
  case $__alight_key in
    r) READLINE_LINE=$__alight_edited READLINE_POINT=${#__alight_edited} ;;
    a) __alight_remember "$__alight_token" ;;
    end) builtin printf 'alight: end of input, so that the line runs as it is\n' >&2 ;;
    c | cancel) __alight_cancel ;;
  esac
}

# Leaves one key in __alight_key: a character, `cancel`, `end`, or `other`.
__alight_read_key() {
  IFS= builtin read -rsN1 __alight_key || __alight_key=cancel
  case $__alight_key in
    $'\x03') __alight_key=cancel ;;
    $'\x04') __alight_key=end ;;
    $'\e')
      __alight_key=cancel
      # Other keys send Escape and more at once.
      while IFS= builtin read -rsN1 -t 0.05 __alight_text; do __alight_key=other; done
      ;;
    '') __alight_key=other ;;
  esac
}

__alight_remember() {
  builtin local __alight_code=0
  __alight_call always bash "$$" "$PWD" "$1" || __alight_code=$?
  __alight_answered "$__alight_code"
  ((__alight_code <= 1)) && __alight_split || __alight_fields=()
  case ${__alight_fields[4]-} in
    done) ;;
    failure) builtin printf 'alight: %s\n' "${__alight_fields[6]//[[:cntrl:]]/?}" >&2 ;;
    *) builtin printf 'alight: this could not be remembered\n' >&2 ;;
  esac
}

# Lets nothing run. An empty line in the midst of a command might complete it, so that bash gets an error that fits
# nowhere. Where a quote may be open, it stands behind what was asked about, which closes that; not in a comment, though.
__alight_cancel() {
  if [[ -z $__alight_taken ]]; then
    [[ :$SHELLOPTS: != *:history:* ]] || builtin history -s -- "$__alight_line"
    READLINE_LINE='' READLINE_POINT=0
    return 0
  fi
  __alight_dropped=("$READLINE_LINE" '&& &&')
  # shellcheck disable=SC2016  # as it was typed
  case $__alight_taken in
    *[\'\"\`]* | *'$('* | *'${'* | *'(('* | *[?*+@!=]'('* | *'<<'*)
      [[ $READLINE_LINE == '#'* ]] || __alight_dropped[1]="${READLINE_LINE%%[[:blank:];&|()<>\`]#*} && &&"
      ;;
  esac
  READLINE_LINE=${__alight_dropped[1]} READLINE_POINT=${#READLINE_LINE}
  # So that the next prompt has a closer look.
  __alight_known=''
  builtin printf 'alight: bash drops an unfinished command by a syntax error\n' >&2
}

# At the next prompt, what was typed takes the place of the error in the history.
__alight_mend_history() {
  __alight_text=$(builtin unset -v HISTTIMEFORMAT; builtin history 1)
  if builtin [ "${__alight_text%"${__alight_dropped[1]}"}" != "$__alight_text" ]; then
    __alight_text=${__alight_text#"${__alight_text%%[![:blank:]]*}"}
    builtin history -d "${__alight_text%%[!0123456789]*}"
    # A number and two marks stand before the text.
    __alight_text=${__alight_text#"${__alight_text%%[!0123456789]*}"}
    __alight_text=${__alight_text:2}
    builtin history -s -- "${__alight_text%"${__alight_dropped[1]}"}${__alight_dropped[0]}"
  fi
  __alight_dropped=()
} 2>/dev/null

# --- start ---------------------------------------------------------------------------------------

builtin unset -v __alight_tame __alight_parts __alight_frames __alight_further __alight_spans __alight_spelled __alight_dropped
builtin declare -gA __alight_tame
builtin declare -ga __alight_parts __alight_frames __alight_further __alight_spans __alight_spelled __alight_dropped __alight_last
builtin declare -g +x __alight_number='' __alight_taken='' __alight_concerned=0 __alight_waiting=0 __alight_pasting=0 __alight_line='' \
  __alight_edited='' __alight_instead='' __alight_numbering
__alight_tame=([x]=1) __alight_dropped=()
# What numbers commands, in the language of prompts.
__alight_numbering='\#'

fi

if ((__alight_guard_aliases)); then \builtin shopt -s expand_aliases; fi
if [[ -n $__alight_guard_restore ]]; then \builtin set "-$__alight_guard_restore"; fi
\builtin unset -v __alight_guard_restore __alight_guard_aliases
