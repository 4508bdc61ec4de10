# alight for fish: asks the daemon at the prompt what belongs here and applies the answer as data.
#
# Source this file from an interactive fish (3.4 or newer), or pipe the output of `alight init fish` into `source`.
# The wire is described in PROTOCOL.md. Names that begin with __alight are private; the public ones are the function
# `alight`, the function `deactivate` while an environment is on, and the variables ALIGHT_*.
#
# fish reserves `set`, `test`, `read`, `string`, `status` and the keywords; every other builtin could be shadowed by a
# function of the user's, so it is called through `builtin`.

if not status is-interactive; or status is-command-substitution; or test "$ALIGHT_DISABLE" = 1
    return 0
end

# fish knows the effective uid; the real one is read where the system shows it, and asked for once elsewhere.
function __alight_uid
    set -g __alight_euid "$EUID"
    set -l real
    if test -r /proc/self/status
        while read -l line
            if set -l ids (string match -r '^Uid:\s+(\d+)\s+(\d+)' -- $line)
                set real $ids[2]
                set -g __alight_euid $ids[3]
                break
            end
        end </proc/self/status
    else
        set real (command id -ru 2>/dev/null)
        test -n "$__alight_euid"; or set -g __alight_euid (command id -u 2>/dev/null)
    end
    test -n "$real" -a "$real" = "$__alight_euid"; or return 1
    not test "$real" = 0 -a -n "$SUDO_UID"
end

if not __alight_uid
    builtin functions --erase __alight_uid
    set --erase --global __alight_euid
    return 0
end
builtin functions --erase __alight_uid

# --- wire: the one-shot client --------------------------------------------------------------------

# Runs the client with a verb and its fields. Leaves its exit code in __alight_code and the fields it printed in
# __alight_reply. Without a socket there is nobody to ask, so nothing is started.
function __alight_exchange
    set -g __alight_code 3
    set -g __alight_reply
    test -d $__alight_runtime -a -O $__alight_runtime -a ! -L $__alight_runtime -a -S $__alight_runtime/alight.sock
    or return
    test -x "$__alight_call[1]" -a -r "$__alight_call[-1]"; or return
    # A field may hold a newline: what is printed stays one string until it is split at US.
    set -l printed (
        command $__alight_call $__alight_runtime/alight.sock $argv </dev/null 2>/dev/null |
        string collect --no-trim-newlines
        set -g __alight_code $pipestatus[1]
    )
    test $__alight_code = 0; and set -g __alight_reply (string split -- \x1f "$printed")
end

# Seconds on a clock, read without a fork. Where neither /proc nor `path` (fish 3.5) is there, each look is a second.
function __alight_look_at_clock
    if test -r /proc/uptime
        read -l seconds rest </proc/uptime
        set -g __alight_clock (string replace -r '\..*' '' -- $seconds)
    else if builtin contains -- path (builtin --names)
        set -g __alight_clock (builtin math (builtin path mtime /) + (builtin path mtime --relative /))
    else
        set -g __alight_clock (builtin math $__alight_clock + 1)
    end
end

# Whether the clock is inside a span; one that was set back is not.
function __alight_is_between --argument-names from until
    test $__alight_clock -ge $from -a $__alight_clock -lt $until
end

function __alight_open_breaker --argument-names seconds
    __alight_look_at_clock
    set -g __alight_open_from $__alight_clock
    set -g __alight_open_until (builtin math $__alight_clock + $seconds)
end

function __alight_close_breaker
    set -g __alight_open_from 0
    set -g __alight_open_until 0
end

# Whether the daemon may be asked. The clock is looked at only after a fault.
function __alight_may_ask
    test $__alight_open_until = 0; and return 0
    __alight_look_at_clock
    __alight_is_between $__alight_open_from $__alight_open_until; and return 1
    __alight_close_breaker
end

# --- state and display ----------------------------------------------------------------------------

function __alight_show --argument-names state name kind python text
    set -gx ALIGHT_STATE $state
    set -gx ALIGHT_ENV_NAME $name
    set -gx ALIGHT_ENV_KIND $kind
    set -gx ALIGHT_PYTHON_VERSION $python
    # The script of an adopted environment has put the name into the prompt by itself.
    test -z "$__alight_adopted" -o -n "$VIRTUAL_ENV_DISABLE_PROMPT"; or set text ''
    set -gx ALIGHT_PROMPT $text
    set -g __alight_text (__alight_printable $text)
end

# Data from the wire must not reach the terminal raw.
function __alight_printable --argument-names text
    string replace --all --regex '[\x00-\x1f\x7f-\x9f]' '?' -- "$text"
end

# Prints a line once per shell.
function __alight_say --argument-names text
    test -n "$text"; or return
    builtin contains -- "$text" $__alight_said; and return
    set -ga __alight_said "$text"
    builtin printf '%s\n' (__alight_printable $text) >&2
end

# Something else than our wrapper was `fish_prompt` last time it was drawn: wraps that. Each wrapper calls the function
# it was put around and no other, so that venv's own wrapping, in whatever order it comes and goes, never makes a loop.
function __alight_wrap_prompt
    set -g __alight_undrawn 1
    __alight_is_segment_off; and return
    __alight_has_framework; and return
    builtin functions --query fish_prompt; or return
    set -g __alight_undrawn 0
    set -l details (builtin functions --details --verbose fish_prompt)
    test "$details[5]" = 'The prompt, with the environment in front'; and return
    set -g __alight_layer (builtin math $__alight_layer + 1)
    set -l below __alight_prompt_$__alight_layer
    builtin functions --copy fish_prompt $below
    function fish_prompt --description 'The prompt, with the environment in front' --inherit-variable below
        # First of all, while $status and $pipestatus still are the command's: `set` leaves them alone.
        set -lx __alight_depth "x$__alight_depth"
        set -l text ($below | string collect --no-trim-newlines)
        set -g __alight_drawn 1
        if test "$__alight_depth" = x
            __alight_segment
        end
        builtin printf %s $text
    end
end

# Plain text and a space: no part of it is expanded by anything.
function __alight_segment
    test -n "$__alight_text" -a "$__alight_wants_segment" = 1 -a "$ALIGHT_DISABLE" != 1; or return
    __alight_is_segment_off; and return
    # The environment's own script shows its name already.
    test "$ALIGHT_STATE" = active; and builtin functions --query _old_fish_prompt; and return
    builtin printf '%s ' $__alight_text
end

function __alight_is_segment_off
    builtin contains -- "$ALIGHT_PROMPT_SEGMENT" 0 false no off; or test -n "$VIRTUAL_ENV_DISABLE_PROMPT"
end

function __alight_has_framework
    test -n "$STARSHIP_SHELL$POSH_THEME"; and return 0
    set -q tide_left_prompt_items; or set -q _tide_left_items; or set -q pure_version; and return 0
    set -q _omp_executable; or set -q POSH_SHELL_VERSION; or set -q SPACESHIP_VERSION; and return 0
    for name in tide _pure_prompt omp_repaint_prompt __bobthefish_prompt_status
        builtin functions --query $name; and return 0
    end
    return 1
end

# What tells, without asking anybody, that the last answer may be out of date: the mark (of the reply where there was
# one, since news may have come between) and the arguments of one `test` of everything that was seen at this moment.
function __alight_expect
    set -g __alight_news /dev/null
    set -g __alight_expected -a -n x
    if test -n "$__alight_generation" -a -r "$__alight_generation"
        set -g __alight_news $__alight_generation
        set -g __alight_expected -a -r $__alight_news
    end
    if set -q argv[1]
        set -g __alight_mark $argv[1]
    else
        read -g __alight_mark <$__alight_news
    end
    set -l signs $__alight_witnesses
    if test -n "$__alight_applied"
        set -l sign $__alight_applied/pyvenv.cfg
        test -e $sign; or set sign $__alight_applied/conda-meta
        builtin contains -- $sign $signs; or set -a signs $sign
    end
    for sign in $signs
        if not test -e $sign
            set -ga __alight_expected -a ! -e $sign
        else if test $sign -nt $__alight_news
            set -ga __alight_expected -a $sign -nt $__alight_news
        else
            set -ga __alight_expected -a -e $sign -a ! $sign -nt $__alight_news
        end
    end
    set -g __alight_session "01$ALIGHT_DISABLE|$PWD|$VIRTUAL_ENV|$CONDA_PREFIX|$DIRENV_DIR|$PATH"
end

# --- applying and undoing -------------------------------------------------------------------------

# Whether a variable may be set by a plan at all. fish's own ones may name files that it runs.
function __alight_may_set --argument-names name
    string match --quiet --regex '\A[A-Za-z_][A-Za-z0-9_]*\z' -- "$name"; or return 1
    switch $name
        case PATH PS1 IFS ENV BASH_ENV ZDOTDIR PROMPT_COMMAND 'LD_*' 'DYLD_*'
            return 1
        case 'fish_*' '__fish_*' '__alight_*' PWD SHLVL argv history status pipestatus
            return 1
    end
end

# The former value of a global variable; a universal one of that name is only ever hidden, never touched.
function __alight_record
    builtin contains -- $argv[1] $__alight_ours; and return
    set -ga __alight_ours $argv[1]
    set -g __alight_"$argv[1]"_former
    if not set -qg $argv[1]
        set -g __alight_"$argv[1]"_was unset
        return
    end
    set -g __alight_"$argv[1]"_former $$argv[1]
    if set -qgx $argv[1]
        set -g __alight_"$argv[1]"_was exported
    else
        set -g __alight_"$argv[1]"_was set
    end
end

function __alight_put_back
    set -l __alight_v_was __alight_"$argv[1]"_was
    set -l __alight_v_former __alight_"$argv[1]"_former
    switch $$__alight_v_was
        case unset
            set -eg $argv[1]
        case exported
            set -gx $argv[1] $$__alight_v_former
        case set
            set -gu $argv[1] $$__alight_v_former
    end
end

# Undoes one variable, unless the user changed it meanwhile.
function __alight_undo
    set -l __alight_v_value __alight_"$argv[1]"_value
    if set -q $__alight_v_value
        set -qg $argv[1]; and test "$$argv[1]" = "$$__alight_v_value"; or return
    else
        test -z "$$argv[1]"; or not set -qg $argv[1]; or return
    end
    __alight_put_back $argv[1]
end

# PATH without the first entry equal to a directory.
function __alight_remove_first --argument-names directory
    if set -l at (builtin contains --index -- $directory $PATH)
        set -e PATH[$at]
    end
    # A script that was sourced while ours was on remembers our entry and would bring it back.
    if set -qg _OLD_VIRTUAL_PATH; and set -l at (builtin contains --index -- $directory $_OLD_VIRTUAL_PATH)
        set -e _OLD_VIRTUAL_PATH[$at]
    end
end

# Leaves our environment: by value, so that what the user changed meanwhile stays. A keystroke may interrupt any
# function of fish; what was begun is then finished at the next prompt.
function __alight_leave
    set -g __alight_unfinished 1
    if test -n "$__alight_adopted"
        # The function of the environment's own script, while it is that environment which is on; never a command.
        if test "$VIRTUAL_ENV|$CONDA_PREFIX" = "$__alight_adopted"
            if builtin functions --query deactivate
                deactivate
            else
                set -eg VIRTUAL_ENV
                set -eg VIRTUAL_ENV_PROMPT
                __alight_remove_first $__alight_applied/bin
            end
        end
    else
        for name in $__alight_ours
            __alight_undo $name
        end
        for directory in $__alight_added
            __alight_remove_first $directory
        end
        __alight_owns_deactivate; and builtin functions --erase deactivate
    end
    __alight_forget
    # What the environment's script did to `fish_prompt` is undone now, too: look at it again.
    set -g __alight_drawn 0
end

function __alight_owns_deactivate
    builtin functions --query deactivate; or return
    set -l details (builtin functions --details --verbose deactivate)
    test "$details[5]" = 'Leave the environment that alight switched on'
end

function __alight_forget
    for name in $__alight_ours
        set -eg __alight_"$name"_value
        set -eg __alight_"$name"_was
        set -eg __alight_"$name"_former
    end
    set -g __alight_ours
    set -g __alight_added
    set -g __alight_applied ''
    set -g __alight_adopted ''
    set -eg __alight_unfinished
end

# Every operation is checked before the first one is applied.
function __alight_are_valid --argument-names prefix
    for operation in $argv[2..-1]
        set -l words (string split --max 1 -- ' ' $operation)
        set -q words[2]; or return 1
        # Without an environment to enter nothing may be added.
        test -n "$prefix"; or builtin contains -- $words[1] drop path-remove; or return 1
        switch $words[1]
            case set
                set -l pair (string split --max 1 -- = $words[2])
                set -q pair[2]; and __alight_may_set $pair[1]; or return 1
            case unset drop
                __alight_may_set $words[2]; or return 1
            case path-add
                string match --quiet --regex '\A/[^:]*\z' -- $words[2]; or return 1
                set -l own (builtin realpath -- $prefix/bin 2>/dev/null | string collect)
                test -n "$own" -a "$own" = (builtin realpath -- $words[2] 2>/dev/null | string collect); or return 1
            case path-remove
                string match --quiet --regex '\A/[^:]*\z' -- $words[2]; or return 1
            case run
                set -l file (string replace -- "$prefix/etc/conda/" '' $words[2])
                test -n "$prefix" -a "$prefix/etc/conda/$file" = $words[2]; or return 1
                string match --quiet --regex '\A(de)?activate\.d/[^/]+\z' -- "$file"; or return 1
            case '*'
                return 1
        end
    end
end

# A reply can at most choose among environments that this shell finds to be the user's own and approved.
function __alight_may_enter --argument-names prefix stamp
    string match --quiet --regex '\A/[^:]*\z' -- "$prefix"; or return 1
    test -d $prefix/bin; or return 1
    set -l sign $prefix/pyvenv.cfg
    test -f $sign; or set sign $prefix/conda-meta
    test -e $sign; or return 1
    # Root's file is one that we cannot write.
    test -O $sign; or not test -w $sign; or return 1
    string match --quiet --regex '\A/(?s:.*/)?alight/trust/[0-9a-f]{64}\.json\z' -- "$stamp"; or return 1
    test -f $stamp -a -O $stamp -a ! -L $stamp; or return 1
    test -O (string replace --regex '/[^/]*\z' '' -- $stamp | string collect)
end

function __alight_apply
    for operation in $argv
        set -l words (string split --max 1 -- ' ' $operation)
        switch $words[1]
            case set
                set -l pair (string split --max 1 -- = $words[2])
                __alight_record $pair[1]
                set -g __alight_"$pair[1]"_value $pair[2]
                set -gx $pair[1] $pair[2]
            case unset
                __alight_unset $words[2]
            case drop
                __alight_drop $words[2]
            case path-remove
                while set -l at (builtin contains --index -- $words[2] $PATH)
                    set -e PATH[$at]
                end
            case path-add
                set -ga __alight_added $words[2]
                set -gx PATH $words[2] $PATH
            case run
                __alight_run $words[2]
        end
    end
end

function __alight_unset
    set -q $argv[1]; or return
    __alight_record $argv[1]
    set -eg __alight_"$argv[1]"_value
    set -eg $argv[1]
    # A universal variable is the user's setting for all shells, and exported in spite of an unexported global one: an
    # empty value hides it, which counts as none wherever a plan unsets anything.
    set -qU $argv[1]; and set -gx $argv[1] ''
    return 0
end

# Repairs what another shell left behind. fish exports what a script keeps for its own undo; without its function it
# would only put an old PATH back one day.
function __alight_drop
    if test $argv[1] = VIRTUAL_ENV
        if builtin functions --query deactivate
            deactivate
        else
            for kept in PATH PYTHONHOME TCL_LIBRARY TK_LIBRARY
                set -eg _OLD_VIRTUAL_$kept
            end
            set -eg _OLD_PKG_CONFIG_PATH
            set -eg _OLD_FISH_PROMPT_OVERRIDE
        end
    end
    set -eg $argv[1]
end

function __alight_run --argument-names file
    # No builtin tells a mode: one fork, in environments that have such files.
    test -f $file -a ! -L $file -a -O $file; or return 0
    test -z (command find $file -perm -020 -o -perm -002 2>&1 | string collect --allow-empty); and builtin source $file
    return 0
end

# Takes over a plan. Returns 1 when any field is not what it should be; nothing was applied then.
function __alight_take
    set -l f $__alight_reply
    # version, epoch, generation, directory, verb, 18 fields of the plan, and the end.
    test (builtin count $f) -ge 24; and test "$f[-1]" = end -a "$f[5]" = plan; or return 1
    test "$f[4]" = "$PWD"; or return 1
    set -l root $f[7]
    set -l prefix $f[8]
    set -l operations
    test (builtin count $f) -gt 24; and set operations $f[24..-2]
    for field in $root $prefix
        string match --quiet --regex '\A(/|\z)' -- $field; or return 1
    end
    test -z "$f[18]"; or string match --quiet --regex '\A/' -- $f[18]; or return 1
    test -z "$f[18]"; or test (string sub --length (string length -- $__alight_runtime/) -- $f[18] | string collect) = $__alight_runtime/
    or return 1
    set -l entered ''
    test "$f[6]" = enter; and set entered $prefix
    __alight_are_valid "$entered" $operations; or return 1
    switch $f[6]
        case keep
        case adopt
            test -n "$prefix"; or return 1
            __alight_forget
            set -g __alight_applied $prefix
            set -g __alight_adopted "$VIRTUAL_ENV|$CONDA_PREFIX"
        case enter
            __alight_may_enter $prefix $f[10]; or return 1
            test -z "$__alight_applied"; or __alight_leave
            set -g __alight_unfinished 1
            set -g __alight_applied $prefix
            __alight_apply $operations
            if not builtin functions --query deactivate
                function deactivate --description 'Leave the environment that alight switched on'
                    __alight_deactivate $argv
                end
            end
            set -eg __alight_unfinished
        case leave clean
            test -z "$__alight_applied"; or __alight_leave
            test $f[6] = leave; or __alight_apply $operations
        case '*'
            return 1
    end
    set -g __alight_root $root
    set -g __alight_owner $f[9]
    if test -n "$__alight_declined"
        set -l here $root
        test -n "$here"; or set here -
        if test "$here" != "$__alight_declined"
            set -g __alight_declined ''
            test $__alight_switch = paused; and set -g __alight_switch on
        end
    end
    set -g __alight_generation $f[18]
    set -g __alight_witnesses
    for witness in $f[20..23]
        string match --quiet --regex '\A/' -- $witness; and set -ga __alight_witnesses $witness
    end
    test "$f[16]" = "$__alight_wants_segment"; or set -g __alight_drawn 0
    set -g __alight_wants_segment $f[16]
    __alight_show $f[11..15]
    __alight_say $f[17]
    __alight_expect $f[19]
end

# --- the prompt -----------------------------------------------------------------------------------

# Asks and applies. The argument is the status of the last command. A shell that has the function `deactivate` did not
# inherit what is on: it was switched on right here, by a start-up file.
function __alight_ask --argument-names code
    set -l first $__alight_first
    builtin functions --query deactivate; and set first 0
    __alight_exchange ask fish $fish_pid "$PWD" $__alight_switch "$__alight_owner" "$__alight_applied" \
        "$__alight_declined" $code $first
    set -g __alight_dirty 0
    switch $__alight_code
        case 0
            set -g __alight_first 0
            __alight_take; and return
        case 3
            __alight_spawn
        case 4
            set -g __alight_dirty 1
            __alight_open_breaker 30
        case 5
            set -g __alight_dirty 1
            __alight_open_breaker 60
    end
    __alight_alone
    __alight_expect
end

# Without an answer the shell still must not keep an environment that is gone or of a project it has left.
function __alight_alone
    test -n "$__alight_applied"; or return
    if test -e $__alight_applied/pyvenv.cfg -o -e $__alight_applied/conda-meta
        test "$__alight_root" = / -o "$PWD" = "$__alight_root"; and return
        # Without patterns: a root may hold any octet.
        test (string sub --length (string length -- "$__alight_root/") -- "$PWD" | string collect) = "$__alight_root/"
        and return
    end
    __alight_leave
    set -g __alight_owner ''
    __alight_show none '' '' '' ''
end

# Starts the daemon, at most once in ten seconds. A child of a child is no job of this shell, and $last_pid stays.
function __alight_spawn
    set -g __alight_dirty 1
    __alight_look_at_clock
    __alight_is_between $__alight_spawned_from $__alight_spawned_until; and return
    set -g __alight_spawned_from $__alight_clock
    set -g __alight_spawned_until (builtin math $__alight_clock + 10)
    set -l words $__alight_command daemon start
    if test "$__alight_call[1]" = "$__alight_python"
        test -x "$__alight_python" -a -r "$__alight_client" -a -x "$__alight_daemon_python"; or return
        set words $__alight_call spawn $__alight_runtime $__alight_daemon_python
    end
    set -l nothing (command /bin/sh -c '"$@" </dev/null >/dev/null 2>&1 &' alight $words 2>/dev/null)
end

# Whether nothing has happened since the last answer; the prompt was drawn by our wrapper, if there is one.
function __alight_is_same
    test "$__alight_dirty$__alight_drawn$ALIGHT_DISABLE|$PWD|$VIRTUAL_ENV|$CONDA_PREFIX|$DIRENV_DIR|$PATH" = "$__alight_session" $__alight_expected
    and read -l mark <$__alight_news
    and test "$mark" = "$__alight_mark"
end

# Every prompt comes through here, and nearly every one leaves at the first `return`: it asks what __alight_is_same
# asks, without the cost of a call.
function __alight_on_prompt --on-event fish_prompt
    set -l code $status
    if test "$__alight_dirty$__alight_drawn$ALIGHT_DISABLE|$PWD|$VIRTUAL_ENV|$CONDA_PREFIX|$DIRENV_DIR|$PATH" = "$__alight_session" $__alight_expected
        and read -l mark <$__alight_news
        and test "$mark" = "$__alight_mark"
        set -g __alight_drawn $__alight_undrawn
        return
    end
    test "$__alight_switch" = off -o "$ALIGHT_DISABLE" = 1; and return
    status is-command-substitution; and return
    set -l drawn $__alight_drawn
    set -g __alight_drawn 1
    __alight_is_same; or __alight_settle $code
    if test "$drawn$__alight_drawn" != 11 -a "$__alight_wants_segment" = 1
        __alight_wrap_prompt
    end
    set -g __alight_drawn $__alight_undrawn
end

# Something is not as it was at the last prompt.
function __alight_settle --argument-names code
    set -g __alight_dirty 1
    set -q __alight_unfinished; and __alight_leave
    if test -n "$__alight_applied"
        if not test -e $__alight_applied/pyvenv.cfg -o -e $__alight_applied/conda-meta
            __alight_leave
            set -g __alight_owner ''
            __alight_show none '' '' '' ''
        else if test -z "$VIRTUAL_ENV$CONDA_PREFIX"
            # Switched off by the user, with a function that is not ours: it stays off in this project.
            set -g __alight_declined $__alight_root
            test -n "$__alight_declined"; or set -g __alight_declined -
        end
    end
    if __alight_may_ask
        __alight_ask $code
    else
        __alight_alone
    end
end

# A line that may make an environment is told to the daemon before it runs: what is absent now and there later was
# made by the user.
function __alight_on_preexec --on-event fish_preexec
    test "$__alight_switch" = on -a "$ALIGHT_DISABLE" != 1; or return
    switch "$argv[1]"
        case '*fish_prompt*' '*fish_config*' '*funced*'
            set -g __alight_drawn 0
        case '*venv*' '*virtualenv*' '*uv*' '*poetry*' '*pipenv*' '*pdm*' '*hatch*' '*pixi*' '*conda*'
            __alight_note "$argv[1]"
    end
end

function __alight_note --argument-names line
    set -q fish_private_mode; and return
    test (string length -- $line) -le 8000; or return
    # A first word that needs expansion is not a file's name that we know.
    set -l word (string match --regex '\A\s*([\w./+@:,%-]+)(?=\s|\z)' -- $line)[2]
    test -n "$word"; or return
    builtin functions --query $word; and return
    builtin contains -- $word (builtin --names); and return
    command --query $word; or return
    __alight_may_ask; or return
    __alight_exchange note fish $fish_pid "$PWD" file $line
    switch $__alight_code
        case 4
            __alight_open_breaker 30
        case 5
            __alight_open_breaker 60
    end
    set -g __alight_dirty 1
end

# --- what the user calls --------------------------------------------------------------------------

# Takes venv's own argument too, which asks for the undo alone.
function __alight_deactivate
    __alight_leave
    set -g __alight_owner ''
    set -g __alight_dirty 1
    test "$argv[1]" = nondestructive; and return
    set -g __alight_declined $__alight_root
    test -n "$__alight_declined"; or set -g __alight_declined -
end

function alight --description 'The right Python environment for this directory'
    switch "$argv[1]"
        case on off pause
            if set -q argv[2]
                builtin printf 'alight: %s takes no arguments\n' $argv[1] >&2
                return 2
            end
    end
    switch "$argv[1]"
        case on
            set -g __alight_switch on
            set -g __alight_declined ''
            set -g __alight_dirty 1
            set -g __alight_drawn 0
            __alight_close_breaker
        case off
            test -z "$__alight_applied"; or __alight_leave
            set -g __alight_switch off
            set -g __alight_dirty 1
            set -g __alight_owner ''
            set -g __alight_declined ''
            __alight_show none '' '' '' ''
        case pause
            set -g __alight_switch paused
            set -g __alight_declined $__alight_root
            test -n "$__alight_declined"; or set -g __alight_declined -
        case status
            command $__alight_command status --shell-owner "$__alight_owner" --shell-switch $__alight_switch \
                --shell-declined "$__alight_declined" $argv[2..-1]
        case allow deny trust daemon
            command $__alight_command $argv
            set -l code $status
            set -g __alight_dirty 1
            __alight_close_breaker
            return $code
        case '*'
            command $__alight_command $argv
    end
end

# --- start ----------------------------------------------------------------------------------------

function __alight_load --argument-names file
    for name in __alight_python __alight_client __alight_command __alight_daemon_python
        set -qg $name; or set -g $name ''
    end
    if test -z "$__alight_client"; and set -l real (builtin realpath -- $file 2>/dev/null)
        # Sourced as a file: the client lies beside it, in the package or in the checkout.
        set -l above (string replace --regex '/[^/]*/[^/]*\z' '' -- "$real" | string collect)
        for candidate in $above/query.py $above/daemon/alight/query.py
            if test -r $candidate
                set -g __alight_client $candidate
                break
            end
        end
    end
    if test -z "$__alight_command"
        set -g __alight_command (command --search alight)
    end
    if test -z "$__alight_python" -a -f "$__alight_command" -a -r "$__alight_command"
        read -l line <$__alight_command
        set -l found (string match --regex '\A#!(/\S*python\S*)' -- "$line")
        set -q found[2]; and set -g __alight_python $found[2]
    end
    test -n "$__alight_daemon_python"; or set -g __alight_daemon_python $__alight_python
    test -n "$__alight_command"; or set -g __alight_command alight
    if test -x "$__alight_client"; and not string match --quiet '*.py' -- $__alight_client
        set -g __alight_call $__alight_client
    else
        set -g __alight_call $__alight_python -I -S $__alight_client
    end

    set -g __alight_runtime "$ALIGHT_RUNTIME_DIR"
    if test -z "$__alight_runtime"
        set -l session /run/user/$__alight_euid
        if test -x /usr/bin/getconf; and set -l own (command /usr/bin/getconf DARWIN_USER_TEMP_DIR 2>/dev/null)
            set -g __alight_runtime (builtin realpath -- $own)/alight
        else if test -d $session -a -O $session
            set -g __alight_runtime $session/alight
        else
            set -g __alight_runtime /tmp/alight-$__alight_euid
        end
    end

    set -g __alight_dirty 1
    # Sourced a second time: functions and settings are new, what is applied stays known.
    set -q __alight_switch; and return
    set -g __alight_switch on
    set -g __alight_first 1
    set -g __alight_owner ''
    set -g __alight_declined ''
    set -g __alight_root ''
    set -g __alight_session ''
    set -g __alight_expected
    set -g __alight_generation ''
    set -g __alight_mark ''
    set -g __alight_witnesses
    set -g __alight_wants_segment 0
    set -g __alight_drawn 0
    set -g __alight_undrawn 1
    set -g __alight_news /dev/null
    set -g __alight_layer 0
    set -g __alight_said
    set -g __alight_ours
    set -g __alight_clock 0
    set -g __alight_spawned_from 0
    set -g __alight_spawned_until 0
    __alight_close_breaker
    __alight_forget
    # A parent's display says nothing about this shell.
    __alight_show none '' '' '' ''
end

__alight_load (status filename)
builtin functions --erase __alight_load
