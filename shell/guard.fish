# alight for fish, the second file of the hook: asks about a line that installs something before Enter runs it.
#
# It is read behind alight.fish, whose functions it uses; where that did nothing, this does nothing. PROTOCOL.md 7.
# Whatever goes wrong in here means that the line runs as it was typed.

if not status is-interactive; or status is-command-substitution; or not set -qg __alight_runtime
    return 0
end

# --- Enter ----------------------------------------------------------------------------------------

# Puts the guard in front of what Enter is bound to, in every mode that accepts a line; what it was stays known by mode and
# key. Only what ends in `execute` or is a command of the user's is taken: Enter that writes a newline is no acceptance.
function __alight_bind_enter
    set -g __alight_bound $fish_key_bindings
    __alight_wrap_paste
    set -l modes (builtin bind --list-modes)
    # The key has a name since fish 4.
    set -l keys \r \n enter
    string match --quiet '3.*' -- $version; and set -e keys[3]
    for mode in default insert visual
        builtin contains -- $mode $modes; or continue
        for at in 1 2 3
            set -q keys[$at]; or break
            set -l key $keys[$at]
            set -l name $mode$at
            set -l found
            set -l preset
            for line in (builtin bind -M $mode -- $key 2>/dev/null)
                if string match --quiet 'bind --preset *' -- $line
                    set preset $line
                else if string match --quiet '*__alight_enter *' -- $line
                    builtin bind --erase --user -M $mode -- $key 2>/dev/null
                else
                    set found $line
                end
            end
            test -n "$found"; or set found $preset
            test -n "$found"; or continue
            # What `bind` prints is source text of this shell's own.
            set -l words
            builtin printf '%s\n' $found | read --tokenize --list words; or continue
            set -l into
            set -e words[1]
            while string match --quiet -- '-*' "$words[1]"
                switch $words[1]
                    case -m --sets-mode
                        set into -m $words[2]
                        set -e words[1..2]
                    case -M --mode
                        set -e words[1..2]
                    case '*'
                        set -e words[1]
                end
            end
            set -e words[1]
            test -n "$words[1]"; or continue
            set -g __alight_was_$name $words
            # Where it is functions of the line editor alone, they stand behind the name.
            for word in $words
                test $word = execute; and continue
                if not builtin contains -- $word (builtin bind --function-names)
                    set words
                    break
                end
            end
            builtin bind -M $mode $into -- $key "__alight_enter $name $words"
        end
    end
end

# fish 3 puts what is pasted into a mode of its own, whose functions come with the bindings; fish 4 inserts it by itself.
function __alight_wrap_paste
    builtin functions --query __fish_stop_bracketed_paste; or return
    if builtin functions --query __alight_stop_paste
        string match --quiet '*__alight_pasted*' -- (builtin functions __fish_stop_bracketed_paste); and return
        builtin functions --erase __alight_stop_paste
    end
    builtin functions --copy __fish_stop_bracketed_paste __alight_stop_paste
    function __fish_stop_bracketed_paste
        set -g __alight_pasted 1
        __alight_stop_paste
    end
end

# Runs what Enter was bound to.
function __alight_go_on --argument-names name
    set -l was __alight_was_$name
    set -l known (builtin bind --function-names)
    for command in $$was
        if builtin contains -- $command $known
            builtin commandline -f $command
        else
            # The user's own, as it stood behind the key.
            builtin printf '%s\n' $command | builtin source
        end
    end
end

# What every Enter runs. Nearly every line ends in the condition: it names nothing that matters, its commands are known to
# lead nowhere, and no word of it is an abbreviation. An unfinished command is passed over: Enter means something else
# there. Below an open list of completions it runs the line or only takes what is selected, and nothing tells which: so it
# is asked there, and not again about the same line right behind it.
function __alight_enter --argument-names name
    # Once a paste was met, each Enter looks whether it goes on: its last line was not typed either.
    set -g __alight_follows $__alight_waiting
    test $__alight_waiting = 0; or __alight_look_for_input
    # An empty line is not valid.
    if builtin commandline --is-valid
        set -l line (builtin commandline -b)
        set -q line[2]; and set line (builtin commandline -b | string collect)
        string match --quiet --all --regex -- $__alight_commands "$line"
        if string match --quiet --regex -- $__alight_suspects "$line"
            or not builtin contains -- "$__alight_words" $__alight_tame
            or not string match --quiet --all --regex -- $__alight_any_word "$line"
            or builtin abbr --query -- $__alight_tokens
            set -g __alight_answer p
            __alight_look_at_line "$line"
            if test "$__alight_answer" = c
                __alight_cancel "$line"
                builtin commandline -f execute
                return
            end
        end
    end
    if set -q argv[2]
        builtin commandline -f $argv[2..-1]
    else
        __alight_go_on $name
    end
end

function __alight_look_at_line --argument-names line
    set -g __alight_expanded
    if __alight_concerns "$line"; or __alight_abbreviates "$line"
        __alight_ask_once "$line"
    end
end

function __alight_ask_once --argument-names line
    set -l asked $__alight_asked
    set -g __alight_asked
    if set -q asked[1]
        test "$asked[1]" = "$line" -a "$asked[2]" = "$(builtin history --max 1)"; and return
    end
    if builtin commandline --paging-mode
        set -g __alight_asked "$line" "$(builtin history --max 1)"
    end
    __alight_guard "$line"
end

# The last word before the cursor may be an abbreviation that `execute` is about to expand: leaves the whole line as it
# will be in __alight_expanded. Nothing where it leads nowhere.
function __alight_abbreviates --argument-names line
    string match --quiet --all --regex -- $__alight_any_word "$line"
    __alight_abbr --query -- $__alight_tokens 2>/dev/null; or return 1
    set -l token (builtin commandline -t | string collect)
    test -n "$token"; and __alight_abbr --query -- $token 2>/dev/null; or return 1
    for known in (__alight_abbr --show)
        set -l words
        builtin printf '%s\n' $known | read --tokenize --list words; or continue
        set -l at (builtin contains --index -- -- $words); or continue
        test "$words[$(builtin math $at + 1)]" = "$token" -a (count $words) = (builtin math $at + 2); or continue
        set -l before (builtin commandline -bc | string collect)
        set -l after (builtin commandline -b | string collect)
        set after (string sub --start (builtin math (string length -- "$before") + 1) -- "$after" | string collect)
        set before (string sub --length (builtin math (string length -- "$before") - (string length -- (builtin commandline -ct | string collect))) -- "$before" | string collect)
        set -g __alight_expanded "$before$words[-1]$after"
        __alight_concerns "$__alight_expanded"
        return
    end
    return 1
end

# A builtin since fish 3.6, which has an empty file of the same name: the bare word would load it with whatever function
# the user calls `source`.
function __alight_abbr
    if test $__alight_has_abbr = 1
        builtin abbr $argv
    else
        abbr $argv
    end
end

# --- the filter -----------------------------------------------------------------------------------

# Whether a line names an installer, or a function that leads to one. Its commands are remembered as tame, by themselves
# and as they stand together, where they do not.
function __alight_concerns --argument-names line
    string match --quiet --regex -- $__alight_installers "$line"; and return 0
    # What this line defines is news to the next one.
    if string match --quiet --regex 'function|alias|source|funced|eval' -- "$line"
        set -g __alight_tame
    end
    string match --quiet --all --regex -- $__alight_commands "$line"
    for word in $__alight_words
        builtin contains -- $word $__alight_tame; and continue
        if builtin functions --query -- $word
            if string match --quiet --regex -- $__alight_installers (builtin functions -- $word | string collect)
                return 0
            end
        end
        set -ga __alight_tame $word
    end
    set -q __alight_tame[256]; and set -g __alight_tame
    builtin contains -- "$__alight_words" $__alight_tame; or set -ga __alight_tame "$__alight_words"
    return 1
end

# --- what the daemon is told ----------------------------------------------------------------------

# The frames of PROTOCOL.md 7 that only this shell knows, one an element. Values only where $argv[2] is 1.
function __alight_gather --argument-names line values
    set -l seen
    for word in (string match --all --regex '[\w.+@-]+' -- "$line")
        builtin contains -- $word $seen; and continue
        set -a seen $word
        builtin functions --query -- $word; or continue
        # What fish brings itself, `cd` above all, does what it says.
        string match --quiet --regex "^(?:"(string escape --style=regex -- "$__fish_data_dir/")"|embedded:)" -- (builtin functions --details -- $word)
        and continue
        set -l body (builtin functions -- $word | string collect)
        if test (string length -- "$body") -le 1024
            builtin printf '%s\0' "function $word=$body"
        else
            builtin printf '%s\0' "function $word"
        end
    end
    set -l named
    for name in (string match --all --groups-only --regex '\$\{?([A-Za-z_]\w*)' -- "$line")
        builtin contains -- $name $named; and continue
        set -a named $name
        string match --quiet --regex '^__alight|^(status|pipestatus|history|argv|line|word|name|named|seen|values|body)$|PASSWORD|TOKEN|HTTP_BASIC|SECRET|CREDENTIAL|_INDEX|PROXY|_CERT' -- $name
        and continue
        if not set -q $name
            builtin printf '%s\0' "unset $name"
        else if test "$values" = 1 -a (count $$name) = 1; and not set -qx $name
            builtin printf '%s\0' "shell $name=$$name"
        end
    end
end

# Asks the daemon; leaves the fields of a verdict in __alight_reply. The text goes by the environment: arguments are seen
# by others.
function __alight_ask_about --argument-names line
    set -l frames (__alight_gather "$line" 1 | string split0)
    test (count $frames) -le 24; or return 1
    string match --quiet --regex '\x1f' -- $frames; and return 1
    set -lx ALIGHT_BEFORE ''
    set -lx ALIGHT_LINE "$line"
    set -lx ALIGHT_WORDS (string join -- \x1f $frames | string collect)
    __alight_exchange guard fish $fish_pid "$PWD"
    switch $__alight_code
        case 0
        case 4
            __alight_open_breaker 30
        case 5
            __alight_open_breaker 60
    end
    test $__alight_code = 0 -a (count $__alight_reply) -ge 11
    and test "$__alight_reply[4]" = "$PWD" -a "$__alight_reply[5]" = verdict -a "$__alight_reply[-1]" = end
end

# --- the verdict ----------------------------------------------------------------------------------

# Sets __alight_answer to c where the line is not to run.
function __alight_guard --argument-names line
    test "$__alight_switch" = on -a "$ALIGHT_DISABLE" != 1 -a "$ALIGHT_GUARD" != off -a -t 0 -a -t 2; or return
    test -z "$__alight_expanded"; or set line "$__alight_expanded"
    set -g __alight_expanded
    test (string length -- "$line") -le 8192; and __alight_may_ask; or return
    __alight_ask_about "$line"; or return
    set -l act $__alight_reply[6]
    set -l once $__alight_reply[7]
    set -l text $__alight_reply[8]
    set -l keys $__alight_reply[9]
    set -l token $__alight_reply[10]
    set -l frames $__alight_reply[11..-2]
    builtin contains -- "$act" say ask stop; and test -n "$text"; or return
    __alight_edit "$line" $frames; or return
    test -n "$__alight_instead"; or set keys (string replace --all r '' -- $keys)
    for frame in $frames
        string match --quiet -- '-*' "$frame"; and set -a text (string sub --start 2 -- "$frame")
    end
    if test "$act" = ask; and __alight_is_paste "$line"
        set act say
    end
    switch $act
        case say
            if test -n "$once"
                builtin contains -- "guard:$once" $__alight_said; and return
                set -ga __alight_said "guard:$once"
            end
            builtin commandline -f end-of-buffer
            builtin printf '\n' >&2
            __alight_tell $text
        case stop
            builtin printf '\n' >&2
            __alight_tell $text
            set -g __alight_answer c
        case ask
            __alight_converse "$line" $keys $token $text
    end
end

function __alight_tell
    for one in $argv
        builtin printf '%s\n' (__alight_printable $one) >&2
    end
end

# Whether nobody is there to answer: text of several lines that was pasted, or input that waits already.
function __alight_is_paste --argument-names line
    if test -n "$__alight_pasted"; and string match --quiet --regex '\n.' -- (string trim -- "$line" | string collect)
        return 0
    end
    test $__alight_follows = 0; or return 0
    __alight_look_for_input
    test $__alight_waiting = 1
end

# Whether input waits already, in __alight_waiting; a fork, so that it is not for every line.
function __alight_look_for_input
    set -g __alight_waiting 0
    test -x "$__alight_python"; or return
    command $__alight_python -I -S -c 'import select, sys; sys.exit(not select.select([0], [], [], 0)[0])' 2>/dev/null
    and set -g __alight_waiting 1
end

# Makes the edits of a verdict: the line in __alight_edited and what is put there in __alight_instead, empty without any.
# Returns 1 when a frame is not what it should be. Places count octets; \x1e stands for a newline, which `string` ends with.
function __alight_edit --argument-names line
    set -g __alight_edited ''
    set -g __alight_instead ''
    set line (string replace --all \n \x1e -- "$line")
    set -l octets (string escape --style=url -- "$line" | string replace --all --regex '%..' x | string length)
    set -l at 0
    set -l made ''
    set -l span
    set -l words
    set -l shown
    for frame in $argv[2..-1] @
        switch "$frame"
            case '-*'
            case '.*'
                test -n "$span"; or return 1
                set -a words (string escape -- (string sub --start 2 -- "$frame" | string collect))
            case '@*'
                if test -n "$span"
                    test -n "$words[1]"; or return 1
                    set made "$made"(__alight_octets "$line" $at $span[1])"$words"
                    set at $span[2]
                    set -a shown "$words"
                    set words
                end
                test "$frame" = @; and break
                set span (string match --groups-only --regex '^@(\d{1,5}):(\d{1,5})$' -- "$frame"); or return 1
                test $at -le $span[1] -a $span[1] -le $span[2] -a $span[2] -le $octets; or return 1
            case '*'
                return 1
        end
    end
    test -n "$shown[1]"; or return 0
    set -g __alight_edited (string replace --all \x1e \n -- "$made"(__alight_octets "$line" $at 65536) | string collect)
    set -g __alight_instead (string join ' … ' -- $shown)
    return 0
end

# The octets of $text from $from up to $to: one line, also where they are none. Characters are counted where there are any
# of several octets.
function __alight_octets --argument-names text from to
    if not string match --quiet --regex '[^\x00-\x7f]' -- "$text"
        test $to -gt $from; and string sub --start (builtin math $from + 1) --length (builtin math $to - $from) -- "$text"; or builtin echo
        return
    end
    set -l at 0
    set -l found
    for piece in (string split '' -- "$text")
        test $at -ge $from -a $at -lt $to; and set -a found $piece
        set -l coded (string match --all --regex '%..' -- (string escape --style=url -- $piece))
        set at (builtin math "$at + max(1, $(count $coded))")
    end
    string join '' -- $found; or builtin echo
end

# --- the conversation -----------------------------------------------------------------------------

# Has prompt and line drawn below the question, where fish then runs the line. It goes up by their rows first.
function __alight_draw_again --argument-names line
    set -l prompt (fish_prompt | string collect)
    set -l rows (builtin math (count (string split \n -- "$prompt")) + (count (string split \n -- "$line")) - 2)
    test $rows = 0; or string repeat --no-newline --count $rows -- \n >&2
    builtin commandline -f repaint
end

# Ctrl-C and Escape are keys here; what the terminal was set to is put back whatever happens.
function __alight_converse --argument-names line keys token
    set -l text $argv[4..-1]
    set -l modes (command stty -g 2>/dev/null); or return
    set -l question
    string match --quiet '*r*' -- $keys; and set -a question "[r]un `$__alight_instead` instead"
    string match --quiet '*p*' -- $keys; and set -a question '[p]roceed'
    string match --quiet '*a*' -- $keys; and set -a question '[a]lways here'
    set -a question '[c]ancel'
    command stty -icanon -echo -isig min 1 time 0 2>/dev/null; or return
    builtin printf '\n' >&2
    __alight_tell $text
    set -l key
    while true
        builtin printf '  %s ' (__alight_printable (string join '   ' -- $question)) >&2
        set key (__alight_read_key)
        builtin contains -- $key cancel end; and break
        test "$key" = c; and break
        string match --quiet --regex '^[rpa]$' -- $key; and string match --quiet "*$key*" -- $keys; and break
        builtin printf '\n' >&2
    end
    command stty $modes 2>/dev/null
    switch $key
        case cancel c
            builtin printf '%s\n' (string match --regex '^c$' -- $key) >&2
            set -g __alight_answer c
        case end
            builtin printf '\nalight: end of input, so that the line runs as it is\n' >&2
            __alight_draw_again "$line"
        case p
            builtin printf 'p\n' >&2
            __alight_draw_again "$line"
        case a
            builtin printf 'a\n' >&2
            __alight_exchange always fish $fish_pid "$PWD" "$token"
            if test $__alight_code != 0
                builtin printf 'alight: this could not be remembered; it will be asked again\n' >&2
            end
            __alight_draw_again "$line"
        case r
            builtin printf 'r\n' >&2
            builtin commandline -r -- "$__alight_edited"
            __alight_draw_again "$__alight_edited"
    end
end

# One key: a letter, `cancel` (Ctrl-C, Escape alone, nothing to read from), `end` (Ctrl-D) or `other`.
function __alight_read_key
    set -l code (command dd bs=1 count=1 2>/dev/null | command od -An -tx1 | string trim)
    switch "$code"
        case '' 03
            builtin echo cancel
        case 04
            builtin echo end
        case 1b
            # Other keys send Escape and more at once.
            command stty min 0 time 1 2>/dev/null
            set -l more (command dd bs=64 count=1 2>/dev/null | command od -An -tx1 | string collect)
            command stty min 1 time 0 2>/dev/null
            test -z "$more"; and builtin echo cancel; or builtin echo other
        case 61
            builtin echo a
        case 63
            builtin echo c
        case 70
            builtin echo p
        case 72
            builtin echo r
        case '*'
            builtin echo other
    end
end

# Nothing runs, the line is in the history and $status is 1. A binding cannot set $status: what runs in place of the line
# does, begins with a blank so that it leaves no trace in the history, and takes itself off the screen.
function __alight_cancel --argument-names line
    __alight_enter_in_history "$line"
    set -l rows (builtin math (count (string split \n -- "$line")) - 1)
    test $rows = 0; or string repeat --no-newline --count $rows -- \n >&2
    builtin commandline -r -- ' __alight_cancelled'
end

function __alight_cancelled
    builtin printf '\e[1A\e[2K\r'
    return 1
end

# fish before 4 has no way to add to the history what did not run: the entry goes to its file as fish writes it, and is
# read from there. Nothing in a private session, nor for a line that begins with a blank.
function __alight_enter_in_history --argument-names line
    set -q fish_private_mode; and return
    string match --quiet -- ' *' "$line"; and return
    # Of fish 3 `append` is a word to look for.
    if test (string replace --regex '\..*' '' -- $version) -ge 4
        builtin history append -- "$line"
        return
    end
    set -l session fish
    set -q fish_history; and set session $fish_history
    test -n "$session"; or return
    test "$session" != default; or set session fish
    set -l data $HOME/.local/share
    test -z "$XDG_DATA_HOME"; or set data $XDG_DATA_HOME
    set -l file $data/fish/{$session}_history
    # The first one of all is what makes the file.
    builtin history save
    test -f $file -a -w $file; or return
    set -l entry (string replace --all -- '\\' '\\\\' "$line" | string collect)
    set entry (string replace --all -- \n '\\n' "$entry" | string collect)
    builtin printf '%s cmd: %s\n  when: %s\n' - "$entry" (command date +%s) >>$file
    builtin history merge
end

# --- alight check ---------------------------------------------------------------------------------

# Adds whose syntax the line has and what the shell knows of its words. Values of variables stay here: arguments are seen
# by others.
function __alight_check
    set -l at (builtin contains --index -- -- $argv)
    set -l more
    if test -n "$at"; and not string match --quiet -- '--shell*' $argv[1..$at]
        set more --shell fish
        for frame in (__alight_gather (string join ' ' -- $argv[$at..-1] | string collect) 0 | string split0)
            set -a more --word $frame
        end
    end
    command $__alight_command $argv[1] $more $argv[2..-1]
end

# --- start ----------------------------------------------------------------------------------------

set -g __alight_tame
set -g __alight_expanded
set -g __alight_pasted ''
set -g __alight_waiting 0
set -g __alight_follows 0
set -g __alight_bound ''
set -g __alight_installers '(?:^|[^\w.-]|\s-[A-Za-z]*m)(?:pip[\d.]*|pip-sync|pipenv|pipx|uv|uvx|conda|mamba|micromamba|poetry|pdm|hatch|pixi|easy_install(?:-[\d.]+)?|flit|setup\.py|ensurepip)(?:[^\w.-]|$)'
set -g __alight_commands '(?:^|[;|&({\n]|\b(?:and|or|not|if|while|else|begin|command|builtin|time|exec)\s)\s*(?<__alight_words>[\w.+@-]+)'
set -g __alight_any_word '(?<__alight_tokens>[^\s;|&(){}]+)'
# A part of each of the words above, and what defines a command: the quick look at a line.
set -g __alight_suspects 'pip|uv|conda|mamba|poetry|pdm|hatch|pixi|easy_install|flit|setup\.py|function|alias|source|funced|eval'
set -g __alight_has_abbr 1
if string match --quiet --regex '^3\.[0-5]\.' -- $version
    set -g __alight_has_abbr 0
    # Everything: only the closer look knows how to ask there.
    set -g __alight_suspects ''
end

function __alight_ready --on-event fish_prompt
    test "$__alight_bound$__alight_pasted" = "$fish_key_bindings" -a -n "$__alight_bound"; or __alight_get_ready
end

function __alight_get_ready
    set -g __alight_pasted ''
    test "$__alight_bound" = "$fish_key_bindings" -a -n "$__alight_bound"; or __alight_bind_enter
end
